/** How far the emptying of one node is. */
interface Drain {
  readonly sinceMs: number
  totalPacks: number
  totalBytes: number
  leftPacks: number
  leftBytes: number
  /** Whether the copies were gone through once. */
  known: boolean
  /** Whether that took one slice. */
  few: boolean
  checkedMs: number
  /** Since when nothing was left, whatever the node says. */
  cleanMs: number | undefined
  scan: { after: number; packs: number; bytes: number } | undefined
}

/** The nodes that are being emptied. */
export class Drains {
  readonly #byNode = new Map<number, Drain>()

  of(node: number, nowMs: number): Drain {
    const known = this.#byNode.get(node)
    if (known !== undefined) return known
    const fresh: Drain = {
      sinceMs: nowMs,
      ...{ totalPacks: 0, totalBytes: 0, leftPacks: 0, leftBytes: 0, known: false, few: false },
      checkedMs: -Infinity,
      cleanMs: undefined,
      scan: undefined,
    }
    this.#byNode.set(node, fresh)
    return fresh
  }

  forget(node: number): void {
    this.#byNode.delete(node)
  }
}
