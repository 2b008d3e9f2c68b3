import type { Durability, Operation, RepairActivity } from '../core/model.ts'
import { durabilityEventsMax, observeIntervalMs, pageSizeDefault } from '../core/limits.ts'
import type { ManagerContext } from './context.ts'
import type { EventFeed } from './event-feed.ts'
import type { RepairWatch } from './repair-watch.ts'
import { eachSnapshot } from './snapshot-safety.ts'

/**
 * Looks at the cluster every second and tells the feed what has become different: nodes, what was done, what repair
 * does, the copies of snapshots. So nobody who changes anything must think of those who watch.
 */
export class ClusterObserver {
  readonly #context: ManagerContext
  readonly #feed: EventFeed
  readonly #repair: RepairWatch
  #lookedMs = -Infinity
  #nodes: Map<string, string> | undefined
  #operation: number | undefined
  #activity: RepairActivity = 'none'
  #copies: Map<number, string> | undefined
  #copiesFor = ''
  #copiesDueMs = -Infinity

  constructor(context: ManagerContext, feed: EventFeed, repair: RepairWatch) {
    this.#context = context
    this.#feed = feed
    this.#repair = repair
  }

  /** One look, when it is time for one. */
  async step(): Promise<void> {
    const nowMs = this.#context.clock.monotonicMs()
    if (nowMs - this.#lookedMs < observeIntervalMs) return
    this.#lookedMs = nowMs
    this.#lookAtNodes()
    await this.#lookAtOperations()
    this.#lookAtRepair()
    await this.#lookAtCopies()
  }

  get #timeMs(): number {
    return Math.round(this.#context.clock.nowMs())
  }

  #lookAtNodes(): void {
    const known = this.#nodes
    const infos = this.#context.members.infos()
    this.#nodes = new Map(infos.map(({ node, state }) => [node.nodeId, state]))
    if (known === undefined) return
    for (const { node, state } of infos) {
      const before = known.get(node.nodeId) ?? ''
      if (before !== state) {
        this.#feed.add({ kind: 'node', timeMs: this.#timeMs, node: node.name, before, after: state })
      }
    }
  }

  async #lookAtOperations(): Promise<void> {
    const after = this.#operation
    const fresh: Operation[] = []
    for (let before = Number.MAX_SAFE_INTEGER; ;) {
      const from = before
      const rows = await this.#context.catalogue.read((tx) =>
        tx.operations.page({ kind: '', before: from, limit: after === undefined ? 1 : pageSizeDefault }),
      )
      this.#operation = Math.max(this.#operation ?? 0, rows[0]?.number ?? 0)
      if (after === undefined) return
      const found = rows.filter(({ number }) => number > after)
      fresh.push(...found)
      if (found.length < pageSizeDefault) break
      before = found.at(-1)?.number ?? 0
    }
    for (const operation of fresh.reverse()) {
      this.#feed.add({ kind: 'operation', timeMs: operation.timeMs, operation })
    }
  }

  #lookAtRepair(): void {
    const before = this.#activity
    const after = this.#repair.activity()
    this.#activity = after
    if (before !== after) this.#feed.add({ kind: 'repair', timeMs: this.#timeMs, before, after })
  }

  /** Only when an answer may be another one: each is remembered, but going through all of them is not free. */
  async #lookAtCopies(): Promise<void> {
    const { catalogue, durability } = this.#context
    const newest = await catalogue.read((tx) => tx.snapshots.newestSequence())
    const key = `${durability.state} ${newest} ${this.#activity}`
    const beganMs = this.#context.clock.monotonicMs()
    if (key === this.#copiesFor || beganMs < this.#copiesDueMs) return
    const known = this.#copies
    const copies = new Map<number, string>()
    let told = 0
    for await (const { commitSequence, snapshotId, durability: now } of eachSnapshot(this.#context)) {
      const after = copiesText(now)
      copies.set(commitSequence, after)
      const before = known?.get(commitSequence)
      if (before === undefined || before === after || ++told > durabilityEventsMax) continue
      this.#feed.add({ kind: 'durability', timeMs: this.#timeMs, snapshotId, before, after })
    }
    this.#copies = copies
    this.#copiesFor = key
    // While repair changes copies all the time, looking at them stays a small part of the work.
    const nowMs = this.#context.clock.monotonicMs()
    this.#copiesDueMs = nowMs + restFactor * (nowMs - beganMs)
  }
}

const restFactor = 20

/** `2/2`, `1/2 repairing`, `0/2 lost` */
function copiesText({ copies, copiesWanted, packsDegraded, packsUnavailable, repair }: Durability): string {
  const count = `${copies}/${copiesWanted}`
  if (packsUnavailable > 0) return `${count} lost`
  if (packsDegraded === 0) return count
  const words: Record<RepairActivity, string> = { none: 'degraded', running: 'repairing', waiting: 'waiting' }
  return `${count} ${words[repair]}`
}
