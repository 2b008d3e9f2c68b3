import { asBuffer, chunkKey } from '../core/ids.ts'
import type { ChunkId } from '../core/ids.ts'
import type { TreeEntry } from '../format/tree.ts'
import type { Selection } from './backup-targets.ts'
import type { ChunkLoader } from './chunk-loader.ts'
import { ContentComparison, sameContent, sameMetadata } from './entry-comparison.ts'
import type { KeptTrees } from './kept-trees.ts'
import { nameKey } from './parent-trees.ts'

export interface SameSourceDeps {
  readonly loader: ChunkLoader
  readonly vault: string
  /** The trees that were just made. */
  readonly kept: KeptTrees
  /** Has everything that was given so far stored, so that it can be read. */
  readonly store: () => Promise<void>
  readonly signal: AbortSignal
}

interface Pair {
  readonly before: ChunkId
  readonly after: ChunkId
  readonly selection: Selection
}

/**
 * Whether a source is as the parent snapshot has it: the same names, contents and metadata. What a restore does not
 * bring back is left aside (inode numbers, times of status changes), and so are the directories above the paths that
 * are backed up, except for their names. Mostly the trees are the same, and nothing is read.
 */
export async function isSameSource(deps: SameSourceDeps, root: Pair): Promise<boolean> {
  const contents: [TreeEntry, TreeEntry][] = []
  const pending: Pair[] = [root]
  for (let pair = pending.pop(); pair !== undefined; pair = pending.pop()) {
    if (chunkKey(pair.before) === chunkKey(pair.after)) continue
    const below = await compareDirectory(deps, pair, contents)
    if (below === undefined) return false
    pending.push(...below)
  }
  if (contents.length === 0) return true
  // Only now, when all else is the same: it takes room on the nodes.
  await deps.store()
  const comparison = new ContentComparison(deps, [deps.vault, deps.vault], { signal: deps.signal })
  for (const [before, after] of contents) if (!(await comparison.same(before, after))) return false
  return true
}

/** The directories below that are to be compared; undefined when there is a difference already. */
async function compareDirectory(
  deps: SameSourceDeps,
  { before, after, selection }: Pair,
  contents: [TreeEntry, TreeEntry][],
): Promise<Pair[] | undefined> {
  const young = keptEntries(deps, after)
  if (young === undefined) return undefined
  const old = await loadedEntries(deps, before)
  if (old.length !== young.length) return undefined
  const below: Pair[] = []
  for (const [index, was] of old.entries()) {
    const is = young[index] as TreeEntry
    if (asBuffer(was.name).compare(is.name) !== 0 || was.type !== is.type) return undefined
    const part = selection === 'all' ? 'all' : (selection.get(nameKey(is.name)) ?? 'all')
    if (part === 'all' && !sameMetadata(was, is)) return undefined
    if (!sameContent(was, is)) {
      if (!ContentComparison.canCompare(was, is)) return undefined
      contents.push([was, is])
    }
    if ((was.tree === undefined) !== (is.tree === undefined)) return undefined
    if (was.tree !== undefined && is.tree !== undefined) {
      below.push({ before: was.tree, after: is.tree, selection: part })
    }
  }
  return below
}

function keptEntries({ kept }: SameSourceDeps, id: ChunkId): TreeEntry[] | undefined {
  const node = kept.get(id)
  if (node === undefined) return undefined
  const entries = [...node.entries]
  for (const part of node.parts) {
    const found = kept.get(part)
    if (found === undefined) return undefined
    entries.push(...found.entries)
  }
  return entries
}

async function loadedEntries({ loader, vault, signal }: SameSourceDeps, id: ChunkId): Promise<TreeEntry[]> {
  const node = await loader.loadTree(vault, id, { signal })
  const entries = [...node.entries]
  for (const part of node.parts) entries.push(...(await loader.loadTree(vault, part, { signal })).entries)
  return entries
}
