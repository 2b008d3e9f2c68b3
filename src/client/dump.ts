import { TwofoldError } from '../core/errors.ts'
import type { SnapshotFilter } from '../core/messages.ts'
import type { CallOptions } from '../core/model.ts'
import type { TreeEntry } from '../format/tree.ts'
import { readContent } from './content-stream.ts'
import { RecentChunks } from './recent-chunks.ts'
import { findEntry, openDirectory } from './snapshot-tree.ts'
import type { ReadDeps, SnapshotDirectory } from './snapshot-tree.ts'
import { showPath, splitNames } from './snapshot-path.ts'
import { tarEnd, tarHeader, tarPadding } from './tar-header.ts'
import type { TarEntry } from './tar-header.ts'
import { walkTree } from './tree-walker.ts'
import type { ListedEntry } from './tree-walker.ts'

export interface DumpRequest {
  /** `SNAPSHOT[:subfolder]` */
  readonly reference: string
  /** In the snapshot, or below the subfolder. */
  readonly path: Uint8Array
  /** `auto`: a file as it is, a directory as a tar archive. `tar`: an archive in any case. */
  readonly archive: 'auto' | 'tar'
  readonly filter?: Partial<SnapshotFilter> | undefined
}

export interface Dump {
  readonly kind: 'file' | 'tar'
  readonly content: AsyncIterable<Uint8Array>
}

/**
 * Streams a file, or a directory as a tar archive (pax, with names as bytes, times in nanoseconds and hard links).
 * @throws TwofoldError `not-found`; the content then as `ChunkLoader.load`
 */
export async function openDump(deps: ReadDeps, request: DumpRequest, options: CallOptions = {}): Promise<Dump> {
  const { reference, filter, path, archive } = request
  const directory = await openDirectory(deps, { reference, filter }, options)
  if (splitNames(path).length === 0) {
    return {
      kind: 'tar',
      content: tarArchive(deps, { directory, entries: walkAll(deps, directory, options) }, options),
    }
  }
  const found = await findEntry(deps.loader, { directory, path }, options)
  const { vault } = directory
  if (archive === 'auto' && found.entry.type === 'file') {
    return { kind: 'file', content: readContent(deps.loader, { vault, entry: found.entry }, options) }
  }
  if (archive === 'auto' && found.entry.type === 'symlink') {
    const message = `${showPath(found.path)} is a symbolic link; name the file that it points to, or ask for an archive`
    throw new TwofoldError('invalid-argument', message)
  }
  return {
    kind: 'tar',
    content: tarArchive(deps, { directory, entries: oneAndBelow(deps, directory, found) }, options),
  }
}

async function* walkAll(
  { loader }: ReadDeps,
  { vault, tree, path }: SnapshotDirectory,
  options: CallOptions,
): AsyncGenerator<ListedEntry> {
  yield* walkTree({ loader, vault, tree, path }, { signal: options.signal })
}

async function* oneAndBelow(
  deps: ReadDeps,
  directory: SnapshotDirectory,
  { entry, path }: { entry: TreeEntry; path: Uint8Array },
): AsyncGenerator<ListedEntry> {
  yield { ...entry, path }
  if (entry.tree !== undefined) yield* walkAll(deps, { ...directory, tree: entry.tree, path }, {})
}

export async function* tarArchive(
  { loader }: ReadDeps,
  { directory, entries }: { directory: SnapshotDirectory; entries: AsyncIterable<ListedEntry> },
  options: CallOptions,
): AsyncGenerator<Uint8Array> {
  const firstNames = new Map<string, Uint8Array>()
  const recent = new RecentChunks()
  for await (const entry of entries) {
    const linkKey = entry.type === 'file' && entry.links > 1 ? `${entry.device}:${entry.inode}` : undefined
    const first = linkKey === undefined ? undefined : firstNames.get(linkKey)
    const path = entry.path.subarray(1)
    if (linkKey !== undefined && first === undefined) firstNames.set(linkKey, path)
    yield tarHeader(toTarEntry(entry, path, first))
    if (entry.type !== 'file' || first !== undefined) continue
    yield* readContent(loader, { vault: directory.vault, entry }, { ...options, recent })
    yield tarPadding(entry.size)
  }
  yield tarEnd()
}

function toTarEntry(entry: ListedEntry, path: Uint8Array, first: Uint8Array | undefined): TarEntry {
  const { mode, uid, gid, user, group, mtimeNs } = entry
  const type = first === undefined ? entry.type : 'link'
  const size = type === 'file' ? entry.size : 0
  return { path, type, target: first ?? entry.target, mode, uid, gid, user, group, size, mtimeNs }
}
