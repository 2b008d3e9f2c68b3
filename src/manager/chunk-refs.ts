import { chunkIdBytes } from '../core/ids.ts'
import type { ChunkId } from '../core/ids.ts'

/** The chunk ids of a list of references, in its own memory. */
export function splitRefs(refs: Uint8Array): ChunkId[] {
  const ids: ChunkId[] = []
  for (let at = 0; at < refs.length; at += chunkIdBytes) ids.push(refs.subarray(at, at + chunkIdBytes) as ChunkId)
  return ids
}
