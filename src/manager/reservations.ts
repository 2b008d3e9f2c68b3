import type { NodeId, PackId } from '../core/ids.ts'

interface Reservation {
  readonly lengthBytes: number
  settled: boolean
}

/**
 * Bytes promised to packs in flight, per node. A settled pack keeps its promise until the node's next heartbeat, whose
 * figure of free bytes is the first that can include it.
 */
export class Reservations {
  readonly #byNode = new Map<NodeId, Map<PackId, Reservation>>()
  readonly #byPack = new Map<PackId, Set<NodeId>>()

  /** Promises room on more nodes; one that has promised already stays as it is. */
  hold(packId: PackId, lengthBytes: number, nodes: readonly NodeId[]): void {
    for (const nodeId of nodes) {
      const held = this.#byNode.get(nodeId) ?? new Map<PackId, Reservation>()
      this.#byNode.set(nodeId, held)
      if (!held.has(packId)) held.set(packId, { lengthBytes, settled: false })
      const holders = this.#byPack.get(packId) ?? new Set<NodeId>()
      this.#byPack.set(packId, holders.add(nodeId))
    }
  }

  settle(packId: PackId): void {
    for (const nodeId of this.#byPack.get(packId) ?? []) {
      const reservation = this.#byNode.get(nodeId)?.get(packId)
      if (reservation !== undefined) reservation.settled = true
    }
    this.#byPack.delete(packId)
  }

  /** The packs that are not settled. */
  get open(): PackId[] {
    return [...this.#byPack.keys()]
  }

  /** The node's own figures are as of now. */
  heard(nodeId: NodeId): void {
    const held = this.#byNode.get(nodeId)
    if (held === undefined) return
    for (const [packId, reservation] of held) if (reservation.settled) held.delete(packId)
    if (held.size === 0) this.#byNode.delete(nodeId)
  }

  /** What the node's own figure of free bytes does not know of yet. */
  bytes(nodeId: NodeId): number {
    return this.#sum(nodeId, () => true)
  }

  /** What is promised to packs that are not settled. */
  inFlight(nodeId: NodeId): number {
    return this.#sum(nodeId, (reservation) => !reservation.settled)
  }

  #sum(nodeId: NodeId, counts: (reservation: Reservation) => boolean): number {
    let sum = 0
    for (const reservation of this.#byNode.get(nodeId)?.values() ?? []) {
      if (counts(reservation)) sum += reservation.lengthBytes
    }
    return sum
  }
}
