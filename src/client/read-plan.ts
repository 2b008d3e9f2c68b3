import type { ChunkId } from '../core/ids.ts'
import { readGapBytes, readTaskBytes } from '../core/limits.ts'
import type { ChunkLocation, PackLocation } from '../core/messages.ts'
import type { ByteRange } from '../core/storage-messages.ts'

/** A record to be read, and where its content is wanted. */
export interface WantedRecord {
  readonly id: ChunkId
  /** Positions in the caller's list of ids. */
  readonly indexes: readonly number[]
  /** From the beginning of the pack, in bytes. */
  readonly offset: number
  readonly length: number
  readonly plainLength: number
}

/** One read of one pack: its records in the order of their offsets, together about `readTaskBytes` at the most. */
export interface PackRead {
  readonly pack: PackLocation
  readonly records: readonly WantedRecord[]
}

export interface LocatedChunk {
  readonly id: ChunkId
  readonly indexes: readonly number[]
  readonly location: ChunkLocation
}

/** Groups chunks by pack, in the order in which the packs first occur, and cuts what is too much for one read. */
export function planReads(chunks: readonly LocatedChunk[]): PackRead[] {
  const byPack = new Map<string, { pack: PackLocation; records: WantedRecord[] }>()
  for (const { id, indexes, location } of chunks) {
    const { pack, offset, length, plainLength } = location
    let group = byPack.get(pack.packId)
    if (group === undefined) byPack.set(pack.packId, (group = { pack, records: [] }))
    group.records.push({ id, indexes, offset, length, plainLength })
  }
  const reads: PackRead[] = []
  for (const { pack, records } of byPack.values()) {
    records.sort((a, b) => a.offset - b.offset)
    for (const part of cutByBytes(records)) reads.push({ pack, records: part })
  }
  return reads
}

function cutByBytes(records: readonly WantedRecord[]): WantedRecord[][] {
  const parts: WantedRecord[][] = []
  let bytes = Infinity
  for (const record of records) {
    // Compressed records are small on the wire and large in memory: the larger figure counts.
    const cost = Math.max(record.length, record.plainLength)
    if (bytes + cost > readTaskBytes) {
      parts.push([])
      bytes = 0
    }
    parts.at(-1)?.push(record)
    bytes += cost
  }
  return parts
}

/** The ranges that cover records sorted by offset; near ones are merged, gaps of up to `readGapBytes` included. */
export function mergeRanges(records: readonly { offset: number; length: number }[]): ByteRange[] {
  const ranges: { offset: number; length: number }[] = []
  for (const { offset, length } of records) {
    const last = ranges.at(-1)
    if (last !== undefined && offset - (last.offset + last.length) <= readGapBytes) {
      last.length = Math.max(last.length, offset + length - last.offset)
    } else {
      ranges.push({ offset, length })
    }
  }
  return ranges
}
