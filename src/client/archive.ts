import { createGzip } from 'node:zlib'
import { Readable } from 'node:stream'
import type { CallOptions } from '../core/model.ts'
import { tarArchive } from './dump.ts'
import { rootOf, findEntry } from './snapshot-tree.ts'
import type { ReadDeps, SnapshotDirectory } from './snapshot-tree.ts'
import { resolveSnapshot } from './snapshot-info.ts'
import { splitNames } from './snapshot-path.ts'
import { walkTree } from './tree-walker.ts'
import type { ListedEntry } from './tree-walker.ts'
import { zipArchive } from './zip-archive.ts'

export const archiveFormats = ['tar', 'tgz', 'zip'] as const
export type ArchiveFormat = (typeof archiveFormats)[number]

export interface ArchiveRequest {
  /** An id, the beginning of one, or `latest`. */
  readonly snapshot: string
  /** What of it: absolute. It is the top of the archive, by its last name; all of the snapshot is for `/`. */
  readonly path: Uint8Array
  readonly format: ArchiveFormat
}

/**
 * Streams a part of a snapshot as an archive that brings back an identical tree: hard and symbolic links, modes and
 * times.
 * @throws TwofoldError `not-found`; the content then as `ChunkLoader.load`
 */
export async function openArchive(
  deps: ReadDeps,
  request: ArchiveRequest,
  options: CallOptions = {},
): Promise<AsyncIterable<Uint8Array>> {
  const snapshot = await resolveSnapshot(deps.manager, { reference: request.snapshot }, options)
  const directory = rootOf(snapshot)
  const entries = await entriesOf(deps, { directory, path: request.path }, options)
  if (request.format === 'zip') return zipArchive(deps, { directory, entries }, options)
  const tar = tarArchive(deps, { directory, entries }, options)
  return request.format === 'tar' ? tar : gzip(tar)
}

async function entriesOf(
  { loader }: ReadDeps,
  { directory, path }: { directory: SnapshotDirectory; path: Uint8Array },
  options: CallOptions,
): Promise<AsyncIterable<ListedEntry>> {
  const { vault, tree } = directory
  if (splitNames(path).length === 0) return walkTree({ loader, vault, tree, path: directory.path }, options)
  const found = await findEntry(loader, { directory, path }, options)
  const above = found.path.length - found.entry.name.length - 1
  async function* all(): AsyncGenerator<ListedEntry> {
    yield { ...found.entry, path: found.path.subarray(above) }
    if (found.entry.tree === undefined) return
    const below = walkTree({ loader, vault, tree: found.entry.tree, path: found.path }, options)
    for await (const entry of below) yield { ...entry, path: entry.path.subarray(above) }
  }
  return all()
}

/** Compressed as it comes; a failure of the source is one of the result. */
function gzip(content: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const source = Readable.from(content, { objectMode: false, highWaterMark: 256 * 1024 })
  const compressed = createGzip({ level: 6, chunkSize: 64 * 1024 })
  source.on('error', (error) => compressed.destroy(error))
  return source.pipe(compressed) as AsyncIterable<Uint8Array>
}
