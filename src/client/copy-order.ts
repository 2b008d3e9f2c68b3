import type { Clock } from '../core/clock.ts'
import type { NodeId } from '../core/ids.ts'
import type { NodeRef } from '../core/model.ts'

/** For how long a node that failed is asked last, in milliseconds: as long as a restart takes. */
const avoidForMs = 15_000

interface NodeRecord {
  busy: number
  avoidUntilMs: number
}

/** Remembers how busy and how well each node is, so that reads spread over good copies and avoid dead nodes. */
export class CopyOrder {
  readonly #clock: Clock
  readonly #nodes = new Map<NodeId, NodeRecord>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** The nodes that hold a copy, the one to ask first at the front. */
  sort(nodes: readonly NodeRef[]): NodeRef[] {
    const now = this.#clock.monotonicMs()
    const rank = (node: NodeRef): number => {
      const record = this.#nodes.get(node.nodeId)
      if (record === undefined) return 0
      return record.busy + (record.avoidUntilMs > now ? 1_000_000 : 0)
    }
    return [...nodes].sort((a, b) => rank(a) - rank(b))
  }

  begin(node: NodeRef): void {
    this.#record(node).busy += 1
  }

  end(node: NodeRef, well: boolean): void {
    const record = this.#record(node)
    record.busy -= 1
    record.avoidUntilMs = well ? 0 : this.#clock.monotonicMs() + avoidForMs
  }

  /** Whether the node failed a short while ago. */
  avoided(node: NodeRef): boolean {
    return this.#record(node).avoidUntilMs > this.#clock.monotonicMs()
  }

  #record(node: NodeRef): NodeRecord {
    let record = this.#nodes.get(node.nodeId)
    if (record === undefined) this.#nodes.set(node.nodeId, (record = { busy: 0, avoidUntilMs: 0 }))
    return record
  }
}
