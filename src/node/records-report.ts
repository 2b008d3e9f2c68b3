import type { Clock } from '../core/clock.ts'
import { TwofoldError, describeError, isTwofoldError } from '../core/errors.ts'
import { asBuffer, chunkIdBytes } from '../core/ids.ts'
import type { ChunkId } from '../core/ids.ts'
import { commitBatchBytes } from '../core/limits.ts'
import type { RecordsPart } from '../core/messages.ts'
import type { LogEntry, PackEntry, RecordKind } from '../core/model.ts'
import { blake3 } from '../format/hash.ts'
import { decodePackFooter, indexEntryBytes, indexHeaderBytes, packFooterBytes } from '../format/pack-index.ts'
import { decodeRecordHeader, kindNumbers, recordHeaderBytes } from '../format/record-header.ts'
import type { NodeLog } from './node-log.ts'
import type { PackReader, PackStore, StoredPack } from './pack-store.ts'
import type { WritesInProgress } from './writes-in-progress.ts'

type PackPart = Extract<RecordsPart, { kind: 'pack' }>

/** What a record costs in a message besides its references. */
const entryBytes = 64

export interface RecordsDeps {
  readonly store: PackStore
  readonly log: NodeLog
  readonly clock: Clock
  readonly writes: WritesInProgress
}

/** Everything that this node knows: its log, then what is in its packs, a bounded piece at a time. */
export async function* allRecords({ store, log, clock, writes }: RecordsDeps): AsyncGenerator<RecordsPart> {
  yield* logParts(log)
  const packs = [...store.list()]
  writes.told(packs)
  for (const pack of packs) {
    try {
      yield* packParts(store, pack)
    } catch (error) {
      // Dropped since the list was made.
      if (isTwofoldError(error, 'not-found')) continue
      if (!isTwofoldError(error)) throw error
      const { packId, putSequence } = pack
      const foundAtMs = Math.round(clock.nowMs())
      yield { kind: 'damaged', packId, putSequence, problem: describeError(error), foundAtMs }
    }
  }
}

async function* logParts(log: NodeLog): AsyncGenerator<RecordsPart> {
  let entries: LogEntry[] = []
  let bytes = 0
  for await (const entry of log.entries()) {
    entries.push(entry)
    bytes += entry.payload.length + 2 * entryBytes
    if (bytes < commitBatchBytes) continue
    yield { kind: 'log', entries }
    entries = []
    bytes = 0
  }
  if (entries.length > 0) yield { kind: 'log', entries }
}

async function* packParts(store: PackStore, pack: StoredPack): AsyncGenerator<PackPart> {
  const reader = await store.open(pack.packId)
  try {
    const { vaultId, index } = await readIndex(reader)
    let entries: PackEntry[] = []
    let manifests: Uint8Array[] = []
    let bytes = 0
    for (let at = indexHeaderBytes; at < index.length; at += indexEntryBytes) {
      const { entry, manifest } = await readEntry(reader, index.subarray(at, at + indexEntryBytes))
      entries.push(entry)
      if (manifest !== undefined) manifests.push(manifest)
      bytes += entryBytes + entry.refs.length + (manifest?.length ?? 0)
      if (bytes < commitBatchBytes) continue
      yield { kind: 'pack', pack, vaultId, entries, manifests, complete: false }
      entries = []
      manifests = []
      bytes = 0
    }
    yield { kind: 'pack', pack, vaultId, entries, manifests, complete: true }
  } finally {
    await reader.close()
  }
}

async function readIndex(reader: PackReader): Promise<{ vaultId: Uint8Array; index: Buffer }> {
  const { lengthBytes } = reader.pack
  const footer = decodePackFooter(await readExactly(reader, lengthBytes - packFooterBytes, packFooterBytes))
  const index = await readExactly(reader, footer.indexOffset, footer.indexLength)
  if (!asBuffer(blake3(index)).equals(footer.indexHash)) throw damaged(reader, 'its index does not match its hash')
  return { vaultId: footer.vaultId, index }
}

const kinds: Readonly<Record<number, RecordKind>> = {
  [kindNumbers.data]: 'data',
  [kindNumbers.tree]: 'tree',
  [kindNumbers.snapshot]: 'snapshot',
}

/** One record by its index entry; of trees and snapshots also what they refer to, which only the record has. */
async function readEntry(
  reader: PackReader,
  indexEntry: Buffer,
): Promise<{ entry: PackEntry; manifest: Uint8Array | undefined }> {
  const chunkId = new Uint8Array(indexEntry.subarray(0, chunkIdBytes)) as ChunkId
  const offset = indexEntry.readUInt32LE(32)
  const length = indexEntry.readUInt32LE(36)
  const plainLength = indexEntry.readUInt32LE(40)
  const kind = kinds[indexEntry[44] ?? 0]
  if (kind === undefined) throw damaged(reader, 'its index has an unknown kind of record')
  const bare = { chunkId, kind, offset, length, plainLength, refs: new Uint8Array() }
  if (kind === 'data') return { entry: bare, manifest: undefined }
  const header = decodeRecordHeader(await readExactly(reader, offset, recordHeaderBytes))
  if (header.kind !== kind || !asBuffer(header.chunkId).equals(chunkId)) {
    throw damaged(reader, 'its index speaks of another record')
  }
  const stored = await readExactly(reader, offset + recordHeaderBytes, header.storedLength)
  // Who reports first is believed: a wrong reference would make snapshots incomplete that others have whole.
  if (!asBuffer(blake3(stored)).equals(header.storedHash)) throw damaged(reader, 'a record does not match its hash')
  const refs = stored.subarray(0, header.refsLength)
  const manifest = kind === 'snapshot' ? stored.subarray(header.refsLength) : undefined
  if (manifest !== undefined && !asBuffer(blake3(manifest)).equals(chunkId)) {
    throw damaged(reader, 'a snapshot record does not match its id')
  }
  return { entry: { ...bare, refs }, manifest }
}

async function readExactly(reader: PackReader, offset: number, length: number): Promise<Buffer> {
  const target = Buffer.alloc(Math.max(0, length))
  if (offset < 0 || (await reader.read(target, offset)) !== length) throw damaged(reader, 'it is too short')
  return target
}

function damaged(reader: PackReader, what: string): TwofoldError {
  return new TwofoldError('integrity', `pack ${reader.pack.packId} is damaged: ${what}`)
}
