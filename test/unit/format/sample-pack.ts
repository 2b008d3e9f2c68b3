import { crc32 } from 'node:zlib'
import type { ChunkId } from '../../../src/core/ids.ts'
import type { RecordKind } from '../../../src/core/model.ts'
import { inlineCodec } from '../../../src/format/codec.ts'
import { blake3 } from '../../../src/format/hash.ts'
import { emptyStats, encodeManifest } from '../../../src/format/manifest.ts'
import type { Manifest } from '../../../src/format/manifest.ts'
import { PackVerifier } from '../../../src/format/pack-verifier.ts'
import type { VerifiedPack } from '../../../src/format/pack-verifier.ts'
import { PackWriter } from '../../../src/format/pack-writer.ts'
import { recordId, sealRecord } from '../../../src/format/record.ts'
import type { SealedRecord } from '../../../src/format/record.ts'

export const vaultId = new Uint8Array(16).fill(7)
export const someId = (fill: number): ChunkId => new Uint8Array(32).fill(fill) as ChunkId

export function sampleManifest(changes: Partial<Manifest> = {}): Manifest {
  return {
    version: 1,
    tree: someId(9),
    host: 'host',
    user: 'user',
    paths: [Buffer.from('/home/\xff', 'latin1')],
    tags: ['a'],
    timeNs: -5n,
    parent: '',
    sessionId: 'ab'.repeat(16),
    stats: { ...emptyStats, filesNew: 3, totalBytes: 2 ** 40 },
    program: 'twofold 0',
    fileName: '',
    vault: 'default',
    excludes: ['*.tmp'],
    ...changes,
  }
}

export function seal(kind: RecordKind, plain: Uint8Array, refs: Uint8Array = new Uint8Array(0)): Promise<SealedRecord> {
  const chunkId = kind === 'tree' ? recordId(refs, plain) : (blake3(plain) as ChunkId)
  return sealRecord({ vaultId, kind, chunkId, plain, refs }, inlineCodec)
}

/** Raw and compressed data, a tree with references, an empty tree, and a snapshot. */
export async function sampleRecords(): Promise<SealedRecord[]> {
  const manifest = sampleManifest()
  return [
    await seal('data', Buffer.from('short')),
    await seal('data', Buffer.from('again and again '.repeat(20))),
    await seal('tree', Buffer.from('names '.repeat(60)), Buffer.concat([someId(1), someId(2)])),
    await seal('tree', new Uint8Array(0)),
    await seal('snapshot', encodeManifest(manifest), manifest.tree),
  ]
}

export function packOf(records: readonly SealedRecord[], slabBytes = 1 << 20): Uint8Array {
  const writer = new PackWriter(new Uint8Array(slabBytes), vaultId)
  for (const record of records) if (!writer.append(record)) throw new Error('the record does not fit')
  return writer.finish()
}

export function verifyPack(pack: Uint8Array, sliceBytes = pack.length, lengthBytes = pack.length): VerifiedPack {
  const verifier = new PackVerifier({ lengthBytes, vaultId })
  for (let at = 0; at < pack.length; at += sliceBytes) verifier.push(pack.subarray(at, at + sliceBytes))
  return verifier.finish()
}

/** Changes a copy of a record header and makes its checksum right again. */
export function forgeHeader(header: Uint8Array, change: (bytes: Buffer) => void): Uint8Array {
  const bytes = Buffer.from(header)
  change(bytes)
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 124)), 124)
  return bytes
}
