import { copiesNow } from '../core/durability-text.ts'
import type { NodeId } from '../core/ids.ts'
import type { NodeState, Operation, RepairActivity } from '../core/model.ts'
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
  #nodes: Map<NodeId, NodeState> | undefined
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
    const { members } = this.#context
    const known = this.#nodes
    const states = new Map(members.rows().map(({ ref }) => [ref.nodeId, members.state(ref.nodeId)]))
    this.#nodes = states
    if (known === undefined) return
    const changed = members.rows().filter(({ ref: { nodeId } }) => known.get(nodeId) !== states.get(nodeId))
    changed.sort((a, b) => (a.ref.name < b.ref.name ? -1 : 1))
    for (const { ref } of changed) {
      const [before, after] = [known, states].map((map) => map.get(ref.nodeId) ?? '') as [string, string]
      this.#feed.add({ kind: 'node', timeMs: this.#timeMs, node: ref.name, before, after })
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
      const after = copiesNow(now)
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
