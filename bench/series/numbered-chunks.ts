import { hash } from 'node:crypto'
import { chunkIdBytes } from '../../src/core/ids.ts'
import type { ChunkId } from '../../src/core/ids.ts'
import { chunkBytesAverage } from '../../src/core/limits.ts'
import type { PackEntry } from '../../src/core/model.ts'

/** A full pack of chunks of average size has 16 data records; small files add more. With one tree it is this many. */
export const chunksPerPack = 50

/** The id of chunk `n`: as random as a real one, and always the same. */
export function chunkIdOf(n: number): ChunkId {
  return hash('sha256', `chunk ${n}`, 'buffer') as unknown as ChunkId
}

/** Writes the id of chunk `n` to where `at` says; leaves less garbage behind than making it. */
export function writeChunkId(n: number, target: Buffer, at: number): void {
  target.write(hash('sha256', `chunk ${n}`, 'binary'), at, chunkIdBytes, 'latin1')
}

/** The records of pack `n`: data chunks, and one tree that refers to all of them. */
export function entriesOfPack(n: number): PackEntry[] {
  const first = n * chunksPerPack
  const none = new Uint8Array()
  const ids = Array.from({ length: chunksPerPack }, (_, at) => chunkIdOf(first + at))
  const refs = Buffer.concat(ids.slice(1))
  return ids.map((chunkId, at) => ({
    chunkId,
    kind: at === 0 ? 'tree' : 'data',
    offset: at * 300_000,
    length: 300_000,
    plainLength: chunkBytesAverage,
    refs: at === 0 ? refs : none,
  }))
}
