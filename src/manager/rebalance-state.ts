interface Move {
  /** Row of the node that shall lose its copy. */
  readonly from: number
  readonly to: number
  readonly lengthBytes: number
}

/** Packs on their way from full nodes to empty ones. Whether it runs is in the catalogue; how far it is shows anew. */
export class Rebalance {
  readonly moves = new Map<number, Move>()
  readonly cursors = new Map<number, number>()
  running: boolean
  sinceMs = 0
  bytesDone = 0
  packsDone = 0
  bytesTotal = 0

  constructor(running: boolean) {
    this.running = running
  }

  /** What a node will have once all moves are over, in bytes beyond what it has now. */
  pending(node: number): number {
    let bytes = 0
    for (const move of this.moves.values()) {
      if (move.from === node) bytes -= move.lengthBytes
      if (move.to === node) bytes += move.lengthBytes
    }
    return bytes
  }
}
