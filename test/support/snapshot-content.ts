/** Reads a snapshot out of the stores of a cluster's nodes, without the client's reading side. */
import { chunkIdFromKey, chunkKey } from '../../src/core/ids.ts'
import type { ChunkId, ChunkKey } from '../../src/core/ids.ts'
import { inlineCodec } from '../../src/format/codec.ts'
import { decodeManifest } from '../../src/format/manifest.ts'
import type { Manifest } from '../../src/format/manifest.ts'
import { openRecord } from '../../src/format/record.ts'
import { decodeExtentList, decodeTree } from '../../src/format/tree.ts'
import type { Extent, TreeEntry } from '../../src/format/tree.ts'
import type { NodeCluster } from './node-cluster.ts'

export interface StoredEntry {
  readonly entry: TreeEntry
  /** Of files; empty for the others. */
  readonly content: Buffer
}

type Body = Omit<Awaited<ReturnType<typeof openRecord>>, 'kind'>

export async function readSnapshot(
  cluster: NodeCluster,
  snapshotId: string,
): Promise<{ manifest: Manifest; entries: Map<string, StoredEntry> }> {
  const reader = new SnapshotReader(cluster)
  const id = chunkIdFromKey(Buffer.from(snapshotId, 'hex').toString('latin1') as ChunkKey)
  const manifest = decodeManifest((await reader.chunk(id)).plain)
  await reader.collect(manifest.tree, '')
  return { manifest, entries: reader.entries }
}

class SnapshotReader {
  readonly entries = new Map<string, StoredEntry>()
  readonly #cluster: NodeCluster
  readonly #known = new Map<ChunkKey, Promise<Body>>()

  constructor(cluster: NodeCluster) {
    this.#cluster = cluster
  }

  /** A chunk of the default vault. Many files may share one. */
  chunk(id: ChunkId): Promise<Body> {
    const known = this.#known.get(chunkKey(id)) ?? this.#read(id)
    this.#known.set(chunkKey(id), known)
    return known
  }

  async #read(id: ChunkId): Promise<Body> {
    const [location] = await this.#cluster.manager.locateChunks('', [id])
    const holder = location?.pack.nodes.map((ref) => this.#cluster.node(ref.name)).find((node) => !node.dead)
    if (location === undefined || holder === undefined) throw new Error('the chunk is not there')
    const reader = await holder.store.open(location.pack.packId)
    const record = new Uint8Array(location.length)
    await reader.read(record, location.offset)
    await reader.close()
    return openRecord(record, id, inlineCodec)
  }

  async collect(tree: ChunkId, path: string): Promise<void> {
    const { plain, refs } = await this.chunk(tree)
    const node = decodeTree(plain, refs)
    for (const part of node.parts) await this.collect(part, path)
    for (const entry of node.entries) {
      const child = `${path}/${Buffer.from(entry.name).toString('latin1')}`
      this.entries.set(child, { entry, content: await this.#content(entry) })
      if (entry.tree !== undefined) await this.collect(entry.tree, child)
    }
  }

  async #content(entry: TreeEntry): Promise<Buffer> {
    const extents: Extent[] = [...entry.extents]
    for (const list of entry.extentLists) {
      const { plain, refs } = await this.chunk(list)
      extents.push(...decodeExtentList(plain, refs))
    }
    const content = Buffer.alloc(entry.size)
    let offset = 0
    for (const { chunk, chunkOffset, length } of extents) {
      if (chunk !== undefined) {
        const { plain } = await this.chunk(chunk)
        content.set(plain.subarray(chunkOffset, chunkOffset + length), offset)
      }
      offset += length
    }
    if (offset !== entry.size) throw new Error('the extents do not add up')
    return content
  }
}
