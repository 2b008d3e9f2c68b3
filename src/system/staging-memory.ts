import { pageAligned } from '../core/direct-io.ts'
import { stagedFilesMax, stagingBytes } from '../core/limits.ts'

/** Two pieces of `stagingBytes`: one is filled while the other one is written. */
export type StagingPieces = readonly [Uint8Array, Uint8Array]

/**
 * Memory in which slices are put together before they go to a disk directly: pieces that begin where a page does. They
 * are made when they are first needed, and used again from then on.
 */
export class StagingMemory {
  readonly #free: StagingPieces[] = []
  #made = 0

  /** Undefined when all of it is in use. */
  take(): StagingPieces | undefined {
    const pieces = this.#free.pop()
    if (pieces !== undefined) return pieces
    if (this.#made === stagedFilesMax) return undefined
    this.#made += 1
    return [pageAligned(stagingBytes), pageAligned(stagingBytes)]
  }

  giveBack(pieces: StagingPieces): void {
    this.#free.push(pieces)
  }
}
