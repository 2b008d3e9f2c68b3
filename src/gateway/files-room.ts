import { Admission } from '../core/admission.ts'
import type { Clock } from '../core/clock.ts'
import {
  fileBytesLarge,
  fileBytesSmall,
  filesLargeAdmitted,
  filesPatienceMs,
  filesSmallAdmitted,
  roomWaitersMax,
} from '../core/limits.ts'

/**
 * What the `Files` service lets in at once. Every file begins as a small one; one that turns out to be long waits for
 * the room of a long one before more of it is read. Who has that waits for nobody here.
 */
export class FilesRoom {
  readonly #small: Admission
  readonly #large: Admission

  constructor(clock: Clock) {
    const common = { clock, waitMs: filesPatienceMs, waitersMax: roomWaitersMax, who: 'this node' }
    this.#small = new Admission({ ...common, bytes: filesSmallAdmitted })
    this.#large = new Admission({ ...common, bytes: filesLargeAdmitted })
  }

  /**
   * Room for one file. @returns what makes more of it as the content passes, and what to call in the end.
   * @throws `overloaded`, as `passing` does
   */
  async enter(signal: AbortSignal | undefined): Promise<{ passing: Passing; leave: () => void }> {
    const leaves = [await this.#small.enter(fileBytesSmall, signal)]
    const large = this.#large
    async function* passing(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
      let bytes = 0
      for await (const part of content) {
        if (bytes <= fileBytesSmall && bytes + part.length > fileBytesSmall) {
          leaves.push(await large.enter(fileBytesLarge, signal))
        }
        bytes += part.length
        yield part
      }
    }
    const leave = (): void => {
      for (const each of leaves) each()
    }
    return { passing, leave }
  }
}

/** The content, as fast as there is room for it. */
export type Passing = (content: AsyncIterable<Uint8Array>) => AsyncGenerator<Uint8Array>
