import { bundledFileBytesMax } from '../core/limits.ts'
import type { CallOptions } from '../core/model.ts'
import type { Extent, TreeEntry } from '../format/tree.ts'
import { readContent } from './content-stream.ts'
import type { ContentOptions } from './content-stream.ts'
import { RecentChunks } from './recent-chunks.ts'
import type { ReadDeps } from './snapshot-tree.ts'

type ContentDeps = Pick<ReadDeps, 'loader'>

/** Whether the content is stored in the same place. */
export function sameContent(before: TreeEntry, after: TreeEntry): boolean {
  if (before.type === 'symlink') return Buffer.compare(before.target, after.target) === 0
  if (before.type === 'directory') return true
  const { extents, extentLists, size } = before
  return (
    size === after.size &&
    extents.length === after.extents.length &&
    extents.every((extent, index) => sameExtent(extent, after.extents[index])) &&
    extentLists.length === after.extentLists.length &&
    extentLists.every((id, index) => Buffer.compare(id, after.extentLists[index] ?? Buffer.alloc(0)) === 0)
  )
}

/**
 * Compares what small files hold. They share chunks, so that the same bytes are stored again when the file was touched,
 * in a chunk with other neighbours.
 */
export class ContentComparison {
  readonly #deps: ContentDeps
  readonly #vaults: readonly [string, string]
  readonly #options: ContentOptions

  constructor(deps: ContentDeps, vaults: readonly [string, string], options: CallOptions) {
    this.#deps = deps
    this.#vaults = vaults
    this.#options = { ...options, recent: new RecentChunks() }
  }

  /** Whether the same content may be stored twice: that of larger files never is. */
  static canCompare({ type, size }: TreeEntry, after: TreeEntry): boolean {
    return type === 'file' && after.type === 'file' && size === after.size && size <= bundledFileBytesMax
  }

  async same(before: TreeEntry, after: TreeEntry): Promise<boolean> {
    if (!ContentComparison.canCompare(before, after)) return false
    const [vaultBefore, vaultAfter] = this.#vaults
    return (await this.#read(vaultBefore, before)).equals(await this.#read(vaultAfter, after))
  }

  async #read(vault: string, entry: TreeEntry): Promise<Buffer> {
    const parts: Uint8Array[] = []
    for await (const part of readContent(this.#deps.loader, { vault, entry }, this.#options)) parts.push(part)
    return Buffer.concat(parts)
  }
}

function sameExtent(one: Extent, other: Extent | undefined): boolean {
  if (other === undefined || one.length !== other.length || one.chunkOffset !== other.chunkOffset) return false
  if (one.chunk === undefined || other.chunk === undefined) return one.chunk === other.chunk
  return Buffer.compare(one.chunk, other.chunk) === 0
}

/** Of what a restore brings back. */
export function sameMetadata(before: TreeEntry, after: TreeEntry): boolean {
  return (
    before.mode === after.mode &&
    before.uid === after.uid &&
    before.gid === after.gid &&
    before.user === after.user &&
    before.group === after.group &&
    before.mtimeNs === after.mtimeNs
  )
}
