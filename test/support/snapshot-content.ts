/** Reads a snapshot straight out of the packs of a `MemoryCluster`, without the client's reading side. */
import { chunkIdFromKey, chunkKey, parseChunkId } from '../../src/core/ids.ts'
import type { ChunkId, ChunkKey } from '../../src/core/ids.ts'
import { inlineCodec } from '../../src/format/codec.ts'
import { decodeManifest } from '../../src/format/manifest.ts'
import type { Manifest } from '../../src/format/manifest.ts'
import { openRecord } from '../../src/format/record.ts'
import { decodeExtentList, decodeTree } from '../../src/format/tree.ts'
import type { Extent, TreeEntry } from '../../src/format/tree.ts'
import type { MemoryCluster } from './memory-cluster.ts'

export interface StoredEntry {
  readonly entry: TreeEntry
  /** Of files; empty for the others. */
  readonly content: Buffer
}

export async function readChunk(
  cluster: MemoryCluster,
  vault: string,
  id: ChunkId,
): Promise<{ plain: Uint8Array; refs: Uint8Array }> {
  const chunk = cluster.vault(vault).chunks.get(chunkKey(id))
  const bytes = chunk === undefined ? undefined : [...chunk.pack.copies.values()][0]
  if (chunk === undefined || bytes === undefined) throw new Error('the chunk is not there')
  const { offset, length } = chunk.entry
  return openRecord(bytes.subarray(offset, offset + length), id, inlineCodec)
}

export async function readSnapshot(
  cluster: MemoryCluster,
  snapshotId: string,
): Promise<{ manifest: Manifest; entries: Map<string, StoredEntry> }> {
  const vaults = [...cluster.vaults.values()]
  const id = chunkIdFromKey(Buffer.from(snapshotId, 'hex').toString('latin1') as ChunkKey)
  const vault = vaults.find((candidate) => candidate.chunks.has(chunkKey(id)))?.name ?? ''
  const manifest = decodeManifest((await readChunk(cluster, vault, id)).plain)
  const entries = new Map<string, StoredEntry>()
  await collect({ cluster, vault, entries }, manifest.tree, '')
  return { manifest, entries }
}

interface Collecting {
  readonly cluster: MemoryCluster
  readonly vault: string
  readonly entries: Map<string, StoredEntry>
}

async function collect(into: Collecting, tree: ChunkId, path: string): Promise<void> {
  const { plain, refs } = await readChunk(into.cluster, into.vault, tree)
  const node = decodeTree(plain, refs)
  for (const part of node.parts) await collect(into, part, path)
  for (const entry of node.entries) {
    const child = `${path}/${Buffer.from(entry.name).toString('latin1')}`
    into.entries.set(child, { entry, content: await contentOf(into, entry) })
    if (entry.tree !== undefined) await collect(into, entry.tree, child)
  }
}

async function contentOf({ cluster, vault }: Collecting, entry: TreeEntry): Promise<Buffer> {
  const extents: Extent[] = [...entry.extents]
  for (const list of entry.extentLists) {
    const { plain, refs } = await readChunk(cluster, vault, list)
    extents.push(...decodeExtentList(plain, refs))
  }
  const content = Buffer.alloc(entry.size)
  let offset = 0
  for (const { chunk, chunkOffset, length } of extents) {
    if (chunk !== undefined) {
      const { plain } = await readChunk(cluster, vault, parseChunkId(chunk))
      content.set(plain.subarray(chunkOffset, chunkOffset + length), offset)
    }
    offset += length
  }
  if (offset !== entry.size) throw new Error('the extents do not add up')
  return content
}
