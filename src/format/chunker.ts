import { invariant } from '../core/errors.ts'
import { chunkBytesAverage, chunkBytesMax, chunkBytesMin } from '../core/limits.ts'
import { createGearScan } from './gear-scan-wasm.ts'
import { gearWindowBytes } from './gear-scan.ts'
import type { GearScan } from './gear-scan.ts'

export interface ChunkerOptions {
  /** At least 32. */
  readonly minBytes: number
  /** A power of two. */
  readonly averageBytes: number
  readonly maxBytes: number
  /** Makes the scan for a mask; the fastest one that there is unless a test wants another. */
  readonly createScan?: (mask: number) => GearScan
}

/**
 * How many bits more below the average length, and fewer above it, must be zero for a cut. More makes lengths more
 * alike, but then a cut depends on the one before it, and after an insertion the old cuts are met again later.
 */
const normalization = 1

const defaults: ChunkerOptions = {
  minBytes: chunkBytesMin,
  averageBytes: chunkBytesAverage,
  maxBytes: chunkBytesMax,
}

/** A mask of so many of the highest bits of the hash, since these depend on the most bytes. */
function maskOf(bits: number): number {
  return -(2 ** (32 - bits)) | 0
}

/** Cuts where the content says so (FastCDC with normalized chunking): an insertion moves only the cuts near it. */
export class Chunker {
  readonly #minBytes: number
  readonly #averageBytes: number
  readonly #maxBytes: number
  readonly #hardScan: GearScan
  readonly #easyScan: GearScan

  constructor(options: ChunkerOptions = defaults) {
    const { minBytes, averageBytes, maxBytes, createScan = createGearScan } = options
    const bits = Math.log2(averageBytes)
    invariant(Number.isInteger(bits) && bits > normalization && bits < 30, 'the average must be a power of two')
    invariant(minBytes >= gearWindowBytes && minBytes <= averageBytes, 'the smallest chunk is out of order')
    invariant(averageBytes <= maxBytes, 'the largest chunk is out of order')
    this.#minBytes = minBytes
    this.#averageBytes = averageBytes
    this.#maxBytes = maxBytes
    this.#hardScan = createScan(maskOf(bits + normalization))
    this.#easyScan = createScan(maskOf(bits - normalization))
  }

  /**
   * Where the chunk that begins at `start` ends, in `data[start, end)`. When what is there decides nothing: `end` if no
   * more can follow (`final`), otherwise -1. The answer does not depend on how much more than the chunk is there.
   */
  cut(data: Uint8Array, start: number, end: number, final: boolean): number {
    const normal = Math.min(end, start + this.#averageBytes)
    const last = Math.min(end, start + this.#maxBytes)
    const found =
      this.#hardScan(data, start + this.#minBytes, normal) ||
      this.#easyScan(data, Math.max(start + this.#minBytes, normal), last)
    if (found !== 0) return found
    if (last === start + this.#maxBytes) return last
    return final ? end : -1
  }
}
