import { TwofoldError } from '../core/errors.ts'
import { asBuffer } from '../core/ids.ts'
import type { ChunkId } from '../core/ids.ts'
import type { SnapshotFilter } from '../core/messages.ts'
import type { CallOptions } from '../core/model.ts'
import type { TreeEntry } from '../format/tree.ts'
import type { ChunkLoader } from './chunk-loader.ts'
import type { ManagerApi } from './manager-api.ts'
import { resolveSnapshot } from './snapshot-info.ts'
import type { SnapshotInfo } from './snapshot-info.ts'
import { rootPath, showPath, splitNames } from './snapshot-path.ts'
import { joinPath } from './source-tree.ts'

export interface ReadDeps {
  readonly manager: ManagerApi
  readonly loader: ChunkLoader
}

/** A directory of a snapshot. */
export interface SnapshotDirectory {
  readonly snapshot: SnapshotInfo
  readonly vault: string
  readonly tree: ChunkId
  /** Its path in the snapshot: absolute, as bytes. */
  readonly path: Uint8Array
}

/** Splits `SNAPSHOT[:subfolder]`. */
export function parseReference(reference: string): { snapshot: string; subfolder: string } {
  const colon = reference.indexOf(':')
  if (colon === -1) return { snapshot: reference, subfolder: '' }
  return { snapshot: reference.slice(0, colon), subfolder: reference.slice(colon + 1) }
}

/**
 * Finds the directory that `SNAPSHOT[:subfolder]` names.
 * @throws TwofoldError `not-found`, `ambiguous`; `invalid-argument` when the subfolder is no directory
 */
export async function openDirectory(
  deps: ReadDeps,
  { reference, filter }: { reference: string; filter?: Partial<SnapshotFilter> | undefined },
  options: CallOptions = {},
): Promise<SnapshotDirectory> {
  const { snapshot: wanted, subfolder } = parseReference(reference)
  const snapshot = await resolveSnapshot(deps.manager, { reference: wanted, filter }, options)
  const root = rootOf(snapshot)
  if (splitNames(Buffer.from(subfolder)).length === 0) return root
  const { entry, path } = await findEntry(deps.loader, { directory: root, path: Buffer.from(subfolder) }, options)
  if (entry.type !== 'directory' || entry.tree === undefined) {
    const message = `${showPath(path)} in snapshot ${snapshot.shortId} is no directory; name the one that it lies in`
    throw new TwofoldError('invalid-argument', message)
  }
  return { ...root, tree: entry.tree, path }
}

export function rootOf(snapshot: SnapshotInfo): SnapshotDirectory {
  const { vault, tree } = snapshot.manifest
  return { snapshot, vault, tree, path: rootPath }
}

/** Finds an entry by its path below a directory. @throws TwofoldError `not-found` */
export async function findEntry(
  loader: ChunkLoader,
  { directory, path }: { directory: SnapshotDirectory; path: Uint8Array },
  options: CallOptions = {},
): Promise<{ entry: TreeEntry; path: Uint8Array }> {
  let found: { entry: TreeEntry; path: Uint8Array } | undefined
  for (const name of splitNames(path)) {
    const tree = found === undefined ? directory.tree : found.entry.tree
    const entry =
      tree === undefined ? undefined : await findName(loader, { vault: directory.vault, tree, name }, options)
    const next = joinPath(found?.path ?? directory.path, name)
    if (entry === undefined) {
      throw new TwofoldError('not-found', `there is no ${showPath(next)} in snapshot ${directory.snapshot.shortId}`)
    }
    found = { entry, path: next }
  }
  if (found === undefined) throw new TwofoldError('invalid-argument', `"${showPath(path)}" names nothing in a snapshot`)
  return found
}

async function findName(
  loader: ChunkLoader,
  { vault, tree, name }: { vault: string; tree: ChunkId; name: Uint8Array },
  options: CallOptions,
): Promise<TreeEntry | undefined> {
  for await (const entry of readDirectory(loader, { vault, tree }, options)) {
    const order = asBuffer(entry.name).compare(name)
    if (order === 0) return entry
    if (order > 0) return undefined
  }
  return undefined
}

/** The entries of one directory, part by part, in the order of their names. */
export async function* readDirectory(
  loader: ChunkLoader,
  { vault, tree }: { vault: string; tree: ChunkId },
  options: CallOptions = {},
): AsyncGenerator<TreeEntry> {
  const node = await loader.loadTree(vault, tree, options)
  yield* node.entries
  for (const part of node.parts) yield* (await loader.loadTree(vault, part, options)).entries
}
