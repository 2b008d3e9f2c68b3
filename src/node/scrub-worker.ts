import type { Clock } from '../core/clock.ts'
import { isTwofoldError } from '../core/errors.ts'
import { scrubIdleMs, scrubProofsPerSave, scrubYieldMs } from '../core/limits.ts'
import type { PackId } from '../core/ids.ts'
import type { Logger } from '../core/logger.ts'
import { TokenBucket } from '../core/token-bucket.ts'
import type { NodeLease } from './node-lease.ts'
import type { PackStore, StoredPack } from './pack-store.ts'
import { scrubDueMs, scrubRate } from './scrub-rate.ts'
import type { StorageNode } from './storage-node.ts'
import { verifyPack } from './verify-pack.ts'

export interface ScrubTiming {
  /** Within what time every pack is to be read, in milliseconds; 0 turns the scrub off. */
  readonly periodMs: number
  /** How fast to read, in bytes a second; 0 for what the period needs. */
  readonly bytesPerSecond: number
}

export interface ScrubDeps {
  readonly node: StorageNode
  readonly store: PackStore
  readonly lease: NodeLease
  readonly clock: Clock
  readonly logger: Logger
  readonly timing: ScrubTiming
}

/** How long uploads are looked at while the scrub lets them go first, in milliseconds. */
const lookMs = 50

/**
 * Reads every pack again and again, slowly, and checks every hash in it. Packs are read in passes, the least recently
 * proven first; a pack that comes meanwhile waits for the next pass, so that new ones never keep old ones waiting.
 */
export class ScrubWorker {
  readonly #deps: ScrubDeps
  /** What is left of the pass, the next one last. */
  #pass: StoredPack[] = []
  #pace: { readonly bucket: TokenBucket; readonly bytesPerSecond: number } | undefined
  #unsaved = 0
  /** What this program cannot judge, because a newer one wrote it; reading it again would say the same. */
  readonly #strange = new Set<PackId>()

  constructor(deps: ScrubDeps) {
    this.#deps = deps
  }

  /** Works until `signal` is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, timing, store, logger } = this.#deps
    if (timing.periodMs === 0) return
    while (!signal.aborted) {
      try {
        await clock.sleep(await this.step(signal), signal)
      } catch (error) {
        if (signal.aborted) break
        logger.warn('the scrub could not go on; it tries again', { error })
        await clock.sleep(scrubIdleMs, signal).catch(() => undefined)
      }
    }
    await store.saveProofs()
  }

  /**
   * Checks the next pack, if one is due. @returns how long to wait until the next step, in milliseconds.
   * @throws when the pack could not be read for a reason that says nothing about it; it is read in the next pass.
   */
  async step(signal: AbortSignal): Promise<number> {
    const { store, lease } = this.#deps
    // A disk that failed is for those who save what is on it.
    if (!lease.knowsTime || store.problem !== '') return scrubIdleMs
    const pack = this.#next()
    if (pack === undefined) {
      await this.#save(1)
      return this.#untilDueMs()
    }
    await this.#check(pack, signal)
    await this.#save(scrubProofsPerSave)
    return 0
  }

  #next(): StoredPack | undefined {
    if (this.#pass.length === 0) this.#pass = this.#duePacks()
    for (let pack = this.#pass.pop(); pack !== undefined; pack = this.#pass.pop()) {
      // Replaced, removed, or proven by somebody else since the pass began.
      if (this.#deps.store.stat(pack.packId) === pack) return pack
    }
    return undefined
  }

  #duePacks(): StoredPack[] {
    const nowMs = this.#deps.lease.managerNowMs()
    const due = [...this.#deps.store.list()].filter((pack) => this.#dueMs(pack, nowMs) <= nowMs)
    return due.sort((a, b) => b.provenAtMs - a.provenAtMs || b.putSequence - a.putSequence)
  }

  /** A proof from the future was given by a clock that was wrong. */
  #dueMs({ packId, provenAtMs }: StoredPack, nowMs: number): number {
    if (this.#strange.has(packId)) return Infinity
    return provenAtMs > nowMs ? 0 : scrubDueMs(provenAtMs, this.#deps.timing.periodMs)
  }

  #untilDueMs(): number {
    const nowMs = this.#deps.lease.managerNowMs()
    let untilMs = scrubIdleMs
    for (const pack of this.#deps.store.list()) untilMs = Math.min(untilMs, this.#dueMs(pack, nowMs) - nowMs)
    return Math.max(1, untilMs)
  }

  async #check(pack: StoredPack, signal: AbortSignal): Promise<void> {
    const { node, store } = this.#deps
    const bucket = await this.#bucket()
    const before = async (bytes: number): Promise<void> => {
      await bucket.take(bytes, signal)
      await this.#letUploadsGoFirst(signal)
    }
    try {
      const { good } = await verifyPack(node.custodian, pack.packId, { signal, before })
      if (good) this.#unsaved += 1
      else if (store.stat(pack.packId) === pack) this.#strange.add(pack.packId)
    } catch (error) {
      if (!isTwofoldError(error, 'not-found')) throw error
    }
  }

  async #bucket(): Promise<TokenBucket> {
    const { clock, store, timing } = this.#deps
    const bytesPerSecond = timing.bytesPerSecond || scrubRate((await store.usage()).usedBytes, timing.periodMs)
    // What the last pack took is only kept in mind while the rate stays the same.
    if (this.#pace?.bytesPerSecond !== bytesPerSecond) {
      this.#pace = { bucket: new TokenBucket(clock, bytesPerSecond), bytesPerSecond }
    }
    return this.#pace.bucket
  }

  /** For a moment: who never stops writing must not keep rot from being found. */
  async #letUploadsGoFirst(signal: AbortSignal): Promise<void> {
    const { node, clock } = this.#deps
    for (let waitedMs = 0; waitedMs < scrubYieldMs && node.writes.size > 0; waitedMs += lookMs) {
      await clock.sleep(lookMs, signal)
    }
  }

  async #save(least: number): Promise<void> {
    if (this.#unsaved < least) return
    this.#unsaved = 0
    await this.#deps.store.saveProofs()
  }
}
