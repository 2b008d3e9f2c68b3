import { TwofoldError } from '../core/errors.ts'
import type { ChunkId } from '../core/ids.ts'
import { extentsPerList, recordBodyBytesMax } from '../core/limits.ts'
import { ExtentList } from '../gen/twofold/v1/format.ts'
import type { Extent as StoredExtent } from '../gen/twofold/v1/format.ts'
import { ReferenceCollector, ReferenceReader } from './reference-list.ts'
import { decodeStored, toSafeNumber } from './stored-message.ts'

/** A run of a file's content. */
export interface Extent {
  /** Undefined for a hole, which reads as zeros. */
  readonly chunk: ChunkId | undefined
  /** Where in the chunk the run starts, in bytes; 0 for a hole. */
  readonly chunkOffset: number
  /** In bytes, at least 1. */
  readonly length: number
}

/** A record before it is sealed: `refs` for its reference list, `plain` for its body. */
export interface RecordContent {
  readonly plain: Uint8Array
  readonly refs: Uint8Array
}

/**
 * A part of the content of a file that has more than `extentsInlineMax` extents. It is sealed as kind `tree`.
 * @throws TwofoldError `invalid-argument` for an extent, or a number of them, that readers would refuse.
 */
export function encodeExtentList(extents: readonly Extent[]): RecordContent {
  const problem = extents.map(extentProblem).find(Boolean) ?? countProblem(extents.length)
  if (problem !== undefined) throw new TwofoldError('invalid-argument', problem)
  const references = new ReferenceCollector()
  const plain = ExtentList.encode({ extents: extents.map((extent) => storeExtent(extent, references)) }).finish()
  return { plain, refs: references.encode() }
}

/** Chunk ids share memory with `refs`. @throws TwofoldError `integrity` */
export function decodeExtentList(plain: Uint8Array, refs: Uint8Array): Extent[] {
  const references = new ReferenceReader(refs)
  const list = decodeStored(ExtentList, plain, 'an extent list')
  const extents = list.extents.map((extent) => readExtent(extent, references))
  const problem = countProblem(extents.length)
  if (problem !== undefined) throw new TwofoldError('integrity', problem)
  return extents
}

export function storeExtent(extent: Extent, references: ReferenceCollector): StoredExtent {
  return {
    ref: extent.chunk === undefined ? 0 : references.refer(extent.chunk),
    chunkOffset: extent.chunkOffset,
    length: BigInt(extent.length),
  }
}

/** @throws TwofoldError `integrity` */
export function readExtent(stored: StoredExtent, references: ReferenceReader): Extent {
  const extent: Extent = {
    chunk: stored.ref === 0 ? undefined : references.at(stored.ref),
    chunkOffset: stored.chunkOffset,
    length: toSafeNumber(stored.length, 'the length of an extent'),
  }
  const problem = extentProblem(extent)
  if (problem !== undefined) throw new TwofoldError('integrity', problem)
  return extent
}

/** What is wrong with an extent, in words. */
export function extentProblem({ chunk, chunkOffset, length }: Extent): string | undefined {
  if (!Number.isSafeInteger(length) || length < 1) return `an extent of ${length} bytes`
  if (chunk === undefined) return chunkOffset === 0 ? undefined : 'a hole with an offset in a chunk'
  if (!Number.isSafeInteger(chunkOffset) || chunkOffset < 0 || chunkOffset + length > recordBodyBytesMax) {
    return `an extent of ${length} bytes at ${chunkOffset} does not fit any chunk`
  }
  return undefined
}

function countProblem(extents: number): string | undefined {
  return extents > extentsPerList ? `${extents} extents in one list` : undefined
}
