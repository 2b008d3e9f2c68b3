import type { Client, SnapshotInfo } from '../../client/index.ts'
import { backoffMs } from '../../core/backoff.ts'
import type { Clock } from '../../core/clock.ts'
import { toTwofoldError } from '../../core/errors.ts'
import type { ClusterStatus } from '../../core/model.ts'
import type { Random } from '../../core/random.ts'
import {
  tuiPollLeastMs,
  tuiPollMs,
  tuiRetryFirstMs,
  tuiRetryMostMs,
  tuiSnapshotsMax,
} from '../../core/client-limits.ts'
import type { News } from '../work.ts'

export interface FollowDeps {
  readonly client: Pick<Client, 'status' | 'tasks' | 'schedules' | 'watch' | 'snapshots'>
  readonly clock: Clock
  readonly random: Random
}

interface Following {
  readonly signal: AbortSignal
  readonly tell: (news: News) => void
}

const pauses = { firstMs: tuiRetryFirstMs, mostMs: tuiRetryMostMs }

/** Tells how the cluster is, until the signal is aborted: again and again, and at once when something happens. */
export async function followCluster(deps: FollowDeps, following: Following): Promise<void> {
  const follower = new ClusterFollower(deps, following)
  await Promise.all([follower.poll(), follower.watch()])
}

class ClusterFollower {
  readonly #deps: FollowDeps
  readonly #signal: AbortSignal
  readonly #tell: (news: News) => void
  /** Ends the pause between two questions. */
  #wake = new AbortController()
  #listed: { readonly count: number; readonly full: boolean } | undefined
  #changed = true

  constructor(deps: FollowDeps, { signal, tell }: Following) {
    this.#deps = deps
    this.#signal = signal
    this.#tell = tell
  }

  async poll(): Promise<void> {
    const { clock, random } = this.#deps
    for (let failures = 0; !this.#signal.aborted;) {
      try {
        await this.#ask()
        failures = 0
        await clock.sleep(tuiPollLeastMs, this.#signal)
        if (!this.#changed) await this.#pause(tuiPollMs - tuiPollLeastMs)
      } catch (error) {
        this.#signal.throwIfAborted()
        const retryMs = backoffMs(failures, random, pauses)
        failures += 1
        this.#tell({ kind: 'lost', problem: toTwofoldError(error).message, retryMs })
        await this.#pause(retryMs)
        this.#changed = true
      }
    }
  }

  async watch(): Promise<void> {
    const { client, clock, random } = this.#deps
    const signal = this.#signal
    for (let failures = 0; !signal.aborted; failures++) {
      try {
        for await (const { event } of client.watch({}, { signal })) {
          // The first one says no more than that the manager is there: that, too, is worth a look.
          if (event !== undefined || failures > 0) this.#nudge()
          if (event !== undefined) this.#tell({ kind: 'event', event })
          failures = 0
        }
      } catch {
        // `poll` says what is wrong, if anything still is.
        signal.throwIfAborted()
      }
      await clock.sleep(backoffMs(failures, random, pauses), signal)
    }
  }

  async #ask(): Promise<void> {
    const { client } = this.#deps
    const options = { signal: this.#signal }
    const asked = [client.status(options), client.tasks(options), client.schedules.summary(options)] as const
    const [status, tasks, schedules] = await Promise.all(asked)
    this.#tell({ kind: 'status', status, tasks, schedules })
    if (!this.#mustList(status)) return
    this.#changed = false
    this.#listed = { count: status.snapshots, full: isFull(status) }
    this.#tell({ kind: 'snapshots', snapshots: await this.#newest() })
  }

  /** The list is long: it is asked for again only when it is another, or its copies are. */
  #mustList(status: ClusterStatus): boolean {
    return this.#changed || !isFull(status) || !isEqual(this.#listed, status)
  }

  async #newest(): Promise<SnapshotInfo[]> {
    let kept: SnapshotInfo[] = []
    for await (const snapshot of this.#deps.client.snapshots({}, { signal: this.#signal })) {
      kept.push(snapshot)
      if (kept.length >= 2 * tuiSnapshotsMax) kept = kept.slice(-tuiSnapshotsMax)
    }
    return kept.slice(-tuiSnapshotsMax).reverse()
  }

  #nudge(): void {
    this.#changed = true
    this.#wake.abort()
  }

  async #pause(ms: number): Promise<void> {
    this.#wake = new AbortController()
    try {
      await this.#deps.clock.sleep(ms, AbortSignal.any([this.#signal, this.#wake.signal]))
    } catch (error) {
      this.#signal.throwIfAborted()
      if (!this.#wake.signal.aborted) throw error
    }
  }
}

function isFull({ safety }: ClusterStatus): boolean {
  return safety.degraded === 0 && safety.lost === 0
}

function isEqual(listed: { count: number; full: boolean } | undefined, status: ClusterStatus): boolean {
  return listed !== undefined && listed.count === status.snapshots && listed.full === isFull(status)
}
