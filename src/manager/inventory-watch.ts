import { asBuffer } from '../core/ids.ts'
import type { PackId } from '../core/ids.ts'
import { digestAgreedMs, inventoryAgainMs, inventoryIntervalMs } from '../core/limits.ts'
import { copyDigestBytes } from '../format/copy-digest.ts'

interface Watch {
  /** Monotonic. */
  askedMs: number | undefined
  takenMs: number | undefined
  agreedMs: number
  agreedOn: Uint8Array
  mismatches: number
  /** Whether a list may be under way: one that an earlier manager asked for, or whose sender has given up, too. */
  outstanding: boolean
  /** Somebody needs another list soon. */
  wanted: boolean
  /** Over the packs of the last list that have no copy in the catalogue. */
  left: Uint8Array
  /** Puts that went while a list of the node was under way, which may still have them. */
  readonly gone: Map<PackId, number>
  intake: Promise<unknown>
}

/** When to ask a node for the list of its packs, and what to believe of a list that was under way for a while. */
export class InventoryWatch {
  readonly #nodes = new Map<number, Watch>()

  #of(node: number): Watch {
    const known = this.#nodes.get(node)
    if (known !== undefined) return known
    const fresh: Watch = {
      askedMs: undefined,
      takenMs: undefined,
      agreedMs: -Infinity,
      agreedOn: new Uint8Array(),
      mismatches: 0,
      outstanding: true,
      wanted: false,
      left: new Uint8Array(copyDigestBytes),
      gone: new Map(),
      intake: Promise.resolve(),
    }
    this.#nodes.set(node, fresh)
    return fresh
  }

  /** The node's process is another one. */
  forget(node: number): void {
    this.#nodes.delete(node)
  }

  /** Runs the intakes of one node one after the other. */
  inTurn<T>(node: number, work: () => Promise<T>): Promise<T> {
    const watch = this.#of(node)
    const turn = watch.intake.then(work)
    watch.intake = turn.catch(() => undefined)
    return turn
  }

  want(node: number): void {
    this.#of(node).wanted = true
  }

  /** Whether the node is to be asked now. @param reported whether any list of it is trusted */
  due(node: number, reported: boolean, nowMs: number): boolean {
    const { askedMs, takenMs, wanted, mismatches } = this.#of(node)
    const sinceAskedMs = nowMs - (askedMs ?? -Infinity)
    if (takenMs === undefined || !reported) return askedMs === undefined || sinceAskedMs >= inventoryAgainMs
    if (nowMs - takenMs >= inventoryIntervalMs) return sinceAskedMs >= inventoryAgainMs
    if (wanted) return true
    return mismatches >= 2 && nowMs - takenMs >= inventoryAgainMs
  }

  asked(node: number, nowMs: number): void {
    const watch = this.#of(node)
    watch.askedMs = nowMs
    watch.outstanding = true
    watch.wanted = false
  }

  /** When the node's last list was asked for, and when it was taken in; monotonic. */
  times(node: number): { readonly askedMs: number | undefined; readonly takenMs: number | undefined } {
    const { askedMs, takenMs } = this.#of(node)
    return { askedMs, takenMs }
  }

  /** The node says that its list was taken in: an older one that is still under way will not be. */
  answered(node: number): void {
    void this.inTurn(node, () => {
      const watch = this.#of(node)
      watch.outstanding = false
      watch.gone.clear()
      return Promise.resolve()
    })
  }

  /** A put went. A list that is under way may still have it. */
  went(node: number, packId: PackId, putSequence: number): void {
    const { gone, outstanding } = this.#of(node)
    if (outstanding) gone.set(packId, Math.max(gone.get(packId) ?? 0, putSequence))
  }

  hasGone(node: number, packId: PackId, putSequence: number): boolean {
    return putSequence <= (this.#of(node).gone.get(packId) ?? 0)
  }

  taken(node: number, left: Uint8Array, nowMs: number): void {
    const watch = this.#of(node)
    watch.takenMs = nowMs
    watch.left = left
    watch.mismatches = 0
  }

  /** Over what the node has beside the copies that the catalogue knows. */
  left(node: number): Uint8Array {
    return this.#of(node).left
  }

  /** Whether a heartbeat's digest is worth comparing: it changed, or the last comparison is a while ago. */
  compares(node: number, digest: Uint8Array, nowMs: number): boolean {
    const { agreedOn, agreedMs } = this.#of(node)
    return !asBuffer(digest).equals(agreedOn) || nowMs - agreedMs >= digestAgreedMs
  }

  compared(node: number, agrees: boolean, on: { digest: Uint8Array; nowMs: number }): void {
    const watch = this.#of(node)
    watch.mismatches = agrees ? 0 : watch.mismatches + 1
    if (!agrees) return
    watch.agreedOn = Uint8Array.from(on.digest)
    watch.agreedMs = on.nowMs
  }

  /** Packs are on their way to or from the node, so that its digest says nothing. */
  busy(node: number): void {
    this.#of(node).mismatches = 0
  }
}
