/** Packs and snapshots made by hand, also such as no client of ours would make. */
import { chunkIdFromKey, parseChunkId } from '../../src/core/ids.ts'
import type { ChunkKey, SnapshotId } from '../../src/core/ids.ts'
import type { Session } from '../../src/core/messages.ts'
import { inlineCodec } from '../../src/format/codec.ts'
import { blake3 } from '../../src/format/hash.ts'
import { emptyStats, encodeManifest, snapshotIdOf } from '../../src/format/manifest.ts'
import { PackWriter } from '../../src/format/pack-writer.ts'
import { recordId, sealRecord } from '../../src/format/record.ts'
import type { SealedRecord } from '../../src/format/record.ts'
import { ReferenceCollector } from '../../src/format/reference-list.ts'
import type { TreeEntry } from '../../src/format/tree.ts'
import { storeEntry } from '../../src/format/tree-entry.ts'
import { Tree } from '../../src/gen/twofold/v1/format.ts'

export function packOf(session: Session, records: readonly SealedRecord[]): Uint8Array {
  const bytes = records.reduce((sum, { stored }) => sum + stored.length + 1024, 65_536)
  const writer = new PackWriter(new Uint8Array(bytes), session.vaultId)
  for (const record of records) if (!writer.append(record)) throw new Error('the record does not fit')
  return writer.finish()
}

export function dataRecord({ vaultId }: Session, plain: Uint8Array): Promise<SealedRecord> {
  return sealRecord({ vaultId, kind: 'data', chunkId: parseChunkId(blake3(plain)), plain }, inlineCodec)
}

/** A tree with these entries, whatever their names are and in whatever order they come. */
export function treeRecord({ vaultId }: Session, entries: readonly Partial<TreeEntry>[]): Promise<SealedRecord> {
  const references = new ReferenceCollector()
  const stored = entries.map((entry) => storeEntry({ ...plainEntry, ...entry }, references))
  const plain = Tree.encode({ entries: stored, parts: [] }).finish()
  const refs = references.encode()
  return sealRecord({ vaultId, kind: 'tree', chunkId: recordId(refs, plain), plain, refs }, inlineCodec)
}

const plainEntry: TreeEntry = {
  name: Buffer.from('file'),
  type: 'file',
  ...{ mode: 0o755, uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0, user: '', group: '' },
  ...{ mtimeNs: 1n, ctimeNs: 1n, inode: 1n, device: 1n, links: 1, size: 0 },
  ...{ extents: [], extentLists: [], target: new Uint8Array(0), tree: undefined, xattrs: [] },
}

export interface HandMadeSnapshot {
  readonly snapshotId: SnapshotId
  readonly manifest: Uint8Array
  readonly record: SealedRecord
}

/** A snapshot of the session with that root. */
export async function snapshotOf(session: Session, root: SealedRecord, host = 'host'): Promise<HandMadeSnapshot> {
  const manifest = encodeManifest({
    ...{ version: 1, tree: root.chunkId, host, user: 'user', paths: [Buffer.from('/p')], tags: [], excludes: [] },
    ...{ timeNs: 1n, parent: '', program: 'by hand', fileName: '', vault: session.vault, stats: emptyStats },
    sessionId: session.sessionId,
  })
  const snapshotId = snapshotIdOf(manifest)
  const chunkId = chunkIdFromKey(Buffer.from(snapshotId, 'hex').toString('latin1') as ChunkKey)
  const { vaultId } = session
  const input = { vaultId, kind: 'snapshot', chunkId, plain: manifest, refs: root.chunkId } as const
  return { snapshotId, manifest, record: await sealRecord(input, inlineCodec) }
}
