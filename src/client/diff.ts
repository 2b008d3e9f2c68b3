import { asBuffer, chunkKey } from '../core/ids.ts'
import type { CallOptions } from '../core/model.ts'
import type { TreeEntry } from '../format/tree.ts'
import { ContentComparison, sameContent, sameMetadata } from './entry-comparison.ts'
import { openDirectory, readDirectory } from './snapshot-tree.ts'
import type { ReadDeps, SnapshotDirectory } from './snapshot-tree.ts'
import { rootPath } from './snapshot-path.ts'
import { joinPath } from './source-tree.ts'
import { walkTree } from './tree-walker.ts'

/** Added, removed, content modified, only metadata updated, type changed. */
export type Change = '+' | '-' | 'M' | 'U' | 'T'

export interface DiffEntry {
  /** From the root of the snapshots, or from their subfolders. */
  readonly path: Uint8Array
  readonly change: Change
  /** Undefined for what was added. */
  readonly before: TreeEntry | undefined
  /** Undefined for what was removed. */
  readonly after: TreeEntry | undefined
}

interface Pair {
  readonly before: SnapshotDirectory
  readonly after: SnapshotDirectory
  readonly path: Uint8Array
}

/**
 * What changed between two snapshots, or subfolders of them. Directories that are the same tree are not read, and of
 * files only those are whose content may be the same although it is stored twice.
 * @throws TwofoldError `not-found`, `ambiguous`, and as `ChunkLoader.load`
 */
export async function* diffSnapshots(
  deps: ReadDeps,
  references: { before: string; after: string },
  options: CallOptions = {},
): AsyncGenerator<DiffEntry> {
  const before = await openDirectory(deps, { reference: references.before }, options)
  const after = await openDirectory(deps, { reference: references.after }, options)
  const contents = new ContentComparison(deps, [before.vault, after.vault], options)
  const pending: Pair[] = [{ before, after, path: rootPath }]
  for (let pair = pending.pop(); pair !== undefined; pair = pending.pop()) {
    const { before: old, after: young, path } = pair
    if (chunkKey(old.tree) === chunkKey(young.tree)) continue
    for await (const [was, is] of merged(entriesOf(deps, old, options), entriesOf(deps, young, options))) {
      const name = (was ?? is)?.name ?? new Uint8Array(0)
      const found = joinPath(path, name)
      const change = await changeOf(was, is, contents)
      if (change !== undefined) yield { path: found, change, before: was, after: is }
      if (was?.tree !== undefined && is?.tree !== undefined) {
        pending.push({ before: { ...old, tree: was.tree }, after: { ...young, tree: is.tree }, path: found })
      } else {
        if (was !== undefined)
          yield* everything(deps, { directory: old, entry: was, path: found, change: '-' }, options)
        if (is !== undefined)
          yield* everything(deps, { directory: young, entry: is, path: found, change: '+' }, options)
      }
    }
  }
}

function entriesOf(
  deps: ReadDeps,
  { vault, tree }: SnapshotDirectory,
  options: CallOptions,
): AsyncGenerator<TreeEntry> {
  return readDirectory(deps.loader, { vault, tree }, options)
}

/** What is below a directory that is in one of the snapshots only. */
async function* everything(
  { loader }: ReadDeps,
  part: { directory: SnapshotDirectory; entry: TreeEntry; path: Uint8Array; change: '+' | '-' },
  options: CallOptions,
): AsyncGenerator<DiffEntry> {
  const { directory, entry, path, change } = part
  if (entry.tree === undefined) return
  const start = { loader, vault: directory.vault, tree: entry.tree, path }
  for await (const found of walkTree(start, { signal: options.signal })) {
    const [before, after] = change === '-' ? [found, undefined] : [undefined, found]
    yield { path: found.path, change, before, after }
  }
}

/** Pairs the entries of two directories by name. Both are sorted. */
async function* merged(
  before: AsyncGenerator<TreeEntry>,
  after: AsyncGenerator<TreeEntry>,
): AsyncGenerator<[TreeEntry | undefined, TreeEntry | undefined]> {
  let old = await before.next()
  let young = await after.next()
  while (old.done !== true || young.done !== true) {
    const order = old.done === true ? 1 : young.done === true ? -1 : asBuffer(old.value.name).compare(young.value.name)
    const was = order <= 0 && old.done !== true ? old.value : undefined
    const is = order >= 0 && young.done !== true ? young.value : undefined
    if (order <= 0) old = await before.next()
    if (order >= 0) young = await after.next()
    yield [was, is]
  }
}

async function changeOf(
  before: TreeEntry | undefined,
  after: TreeEntry | undefined,
  contents: ContentComparison,
): Promise<Change | undefined> {
  if (before === undefined) return '+'
  if (after === undefined) return '-'
  if (before.type !== after.type) return 'T'
  if (!sameContent(before, after) && !(await contents.same(before, after))) return 'M'
  return sameMetadata(before, after) ? undefined : 'U'
}
