import { TwofoldError } from '../core/errors.ts'
import type { PackId } from '../core/ids.ts'

interface Writer {
  readonly generation: number
  readonly controller: AbortController
  readonly left: Promise<void>
  /** Whether a recovery was told of a put of the pack while it was being written. */
  told: boolean
}

/** How many abandoned packs are remembered, so that a late stream of one is refused instead of becoming garbage. */
const barredMax = 10_000

/** The packs that are being written to this node: at most one stream for each, of the newest generation. */
export class WritesInProgress {
  readonly #writers = new Map<PackId, Writer>()
  readonly #barred = new Map<PackId, number>()

  get size(): number {
    return this.#writers.size
  }

  /**
   * Enters a stream; an older generation's stream of the same pack is broken off first.
   * @returns what to call when the stream is over.
   * @throws `fenced` when a stream of the same or a newer generation is in progress, or the pack was given up.
   */
  async enter(packId: PackId, generation: number, controller: AbortController): Promise<() => void> {
    this.#requireNotBarred(packId, generation)
    for (let other = this.#writers.get(packId); other !== undefined; other = this.#writers.get(packId)) {
      if (other.generation >= generation) {
        throw new TwofoldError('fenced', `pack ${packId} is being written by generation ${other.generation}`)
      }
      await this.#stop(other)
      // It may have been given up while this stream waited for its turn.
      this.#requireNotBarred(packId, generation)
    }
    const { promise: left, resolve } = Promise.withResolvers<void>()
    const writer = { generation, controller, left, told: false }
    this.#writers.set(packId, writer)
    return () => {
      if (this.#writers.get(packId) === writer) this.#writers.delete(packId)
      resolve()
    }
  }

  /**
   * A catalogue is made again that counts on these packs. Whoever is still writing one may have sealed it already, and
   * must not take it back any more.
   */
  told(packs: Iterable<{ readonly packId: PackId }>): void {
    for (const { packId } of packs) {
      const writer = this.#writers.get(packId)
      if (writer !== undefined) writer.told = true
    }
  }

  /** Whether whoever writes the pack may take back what it sealed. */
  mayTakeBack(packId: PackId): boolean {
    return this.#writers.get(packId)?.told !== true
  }

  /**
   * Refuses streams of a pack up to `generationMax` from now on, breaks off one that is in progress and waits for its
   * end. @returns whether none is left.
   */
  async bar(packId: PackId, generationMax: number): Promise<boolean> {
    const before = this.#barred.get(packId) ?? 0
    // Entered anew, so that the one that was heard of longest ago is forgotten first.
    this.#barred.delete(packId)
    this.#barred.set(packId, Math.max(before, generationMax))
    const [oldest] = this.#barred.keys()
    if (this.#barred.size > barredMax && oldest !== undefined) this.#barred.delete(oldest)
    const writer = this.#writers.get(packId)
    if (writer === undefined) return true
    if (writer.generation > generationMax) return false
    await this.#stop(writer)
    return true
  }

  #requireNotBarred(packId: PackId, generation: number): void {
    if ((this.#barred.get(packId) ?? 0) >= generation) throw givenUp()
  }

  async #stop(writer: Writer): Promise<void> {
    writer.controller.abort(givenUp())
    await writer.left
  }
}

function givenUp(): TwofoldError {
  return new TwofoldError('fenced', 'the pack was given up, or is being written anew')
}
