import { isTwofoldError } from '../core/errors.ts'
import { asBuffer, chunkKey } from '../core/ids.ts'
import type { ChunkId, ChunkKey } from '../core/ids.ts'
import { treeDepthMax } from '../core/limits.ts'
import type { TreeEntry } from '../format/tree.ts'
import type { BackupStats } from './backup-stats.ts'
import type { Selection } from './backup-targets.ts'
import { isEntryOf, makeEntry } from './entry-maker.ts'
import { nameKey } from './parent-trees.ts'
import type { ParentTrees } from './parent-trees.ts'
import type { Progress } from './progress.ts'
import type { RunScope } from './run-scope.ts'
import type { SourceLister } from './source-lister.ts'
import { joinPath } from './source-tree.ts'
import type { SourceEntry, SourceTree } from './source-tree.ts'
import type { OpenDirectory, TreeAssembler } from './tree-assembler.ts'

/** Directories and entries of one group: what one look-up and one load of parent trees are for. */
const groupDirectoriesMax = 256
const groupEntriesMax = 4096

export interface BackupWalkDeps {
  readonly scope: RunScope
  readonly source: SourceTree
  readonly lister: SourceLister
  /** Undefined when there is no parent. */
  readonly parent: ParentTrees | undefined
  readonly assembler: TreeAssembler
  /** Reads a file; its entry, or undefined when it is not to be part of the tree. */
  readonly save: (path: Uint8Array, file: SourceEntry) => Promise<TreeEntry | undefined>
  /** Completes the entries that `save` gave. */
  readonly settle: () => Promise<void>
  readonly oneFileSystem: boolean
  readonly progress: Progress
  readonly stats: BackupStats
}

/** A directory that is to be walked. */
interface Visit {
  readonly path: Uint8Array
  readonly selection: Selection
  readonly directory: OpenDirectory
  readonly depth: number
  /** Its tree in the parent snapshot. */
  readonly tree: ChunkId | undefined
  /** The file system to stay on, where that was asked for. */
  readonly device: bigint | undefined
}

interface Listed {
  readonly visit: Visit
  readonly entries: readonly SourceEntry[]
}

/** One entry with what is known of it from the parent. */
interface Item {
  readonly visit: Visit
  readonly slot: number
  readonly path: Uint8Array
  readonly entry: SourceEntry
  readonly known: TreeEntry | undefined
}

/**
 * Walks the source depth first, a group of directories at a time: lists them, loads what the parent has of them in one
 * go, asks in one go whether the content of unchanged files is still there, and then saves them in order.
 */
export class BackupWalk {
  readonly #deps: BackupWalkDeps
  readonly #waiting: Visit[] = []

  constructor(deps: BackupWalkDeps) {
    this.#deps = deps
  }

  /** `addToRoot` puts entries of its own, in front, into the root directory. */
  async run(selection: Selection, tree: ChunkId | undefined, addToRoot: readonly TreeEntry[]): Promise<ChunkId> {
    const directory = this.#deps.assembler.openRoot()
    const path = Buffer.from('/')
    const root: Visit = { path, selection, directory, depth: 0, tree, device: await this.#deviceOf(path, selection) }
    this.#waiting.push(root)
    let listed = await this.#listGroup()
    for (; listed.length > 0; listed = await this.#listGroup()) {
      if (listed[0]?.visit === root) directory.entries.push(...addToRoot)
      await this.#saveGroup(listed)
    }
    return this.#deps.assembler.result()
  }

  async #deviceOf(path: Uint8Array, selection: Selection): Promise<bigint | undefined> {
    if (!this.#deps.oneFileSystem || selection !== 'all') return undefined
    return (await this.#deps.source.stat(path)).device
  }

  async #listGroup(): Promise<Listed[]> {
    const group: Listed[] = []
    let entries = 0
    while (group.length < groupDirectoriesMax && entries < groupEntriesMax) {
      const visit = this.#waiting.pop()
      if (visit === undefined) break
      const listed = { visit, entries: await this.#list(visit) }
      entries += listed.entries.length
      group.push(listed)
    }
    return group
  }

  async #list(visit: Visit): Promise<readonly SourceEntry[]> {
    const { lister } = this.#deps
    try {
      return await lister.list(visit.path, visit.selection)
    } catch (error) {
      if (!isTwofoldError(error, 'not-found', 'io')) throw error
      this.#problem(visit.path, 'scan', error.message)
      visit.directory.dropped = error.code === 'not-found'
      return []
    }
  }

  async #saveGroup(group: readonly Listed[]): Promise<void> {
    const items = await this.#compare(group)
    const candidates = items.flatMap(({ entry, known }) =>
      known !== undefined && isUnchanged(entry, known) ? known : [],
    )
    const missing = (await this.#deps.parent?.missing(candidates)) ?? new Set<ChunkKey>()
    const below: Visit[] = []
    for (const item of items) {
      this.#deps.scope.throwIfFailed()
      const child = await this.#saveItem(item, missing)
      if (child !== undefined) below.push(child)
    }
    // The last is visited first: directories come in the order of their names.
    this.#waiting.push(...below.reverse())
    await this.#deps.settle()
    for (const { visit } of group) await this.#deps.assembler.close(visit.directory)
  }

  async #compare(group: readonly Listed[]): Promise<Item[]> {
    const ids = group.flatMap(({ visit }) => (visit.tree === undefined ? [] : [visit.tree]))
    const trees = await this.#deps.parent?.load(ids)
    const items: Item[] = []
    for (const { visit, entries } of group) {
      const known = visit.tree === undefined ? undefined : trees?.get(chunkKey(visit.tree))
      visit.directory.known = known
      for (const entry of entries) {
        const slot = visit.directory.entries.length
        visit.directory.entries.push(undefined)
        items.push({
          visit,
          slot,
          path: joinPath(visit.path, entry.name),
          entry,
          known: known?.entries.get(nameKey(entry.name)),
        })
      }
    }
    return items
  }

  /** The directory that is to be walked because of the item, if it is one. */
  async #saveItem(item: Item, missing: ReadonlySet<ChunkKey>): Promise<Visit | undefined> {
    const { progress, stats } = this.#deps
    switch (item.entry.type) {
      case 'directory':
        return this.#enter(item)
      case 'file':
        await this.#saveFile(item, missing)
        break
      case 'symlink':
        await this.#saveLink(item)
        break
      default:
        stats.skipped += 1
        progress.note(`${shown(item.path)} is not saved: it is a ${item.entry.type.replace('-', ' ')}`)
    }
    return undefined
  }

  #enter({ visit, slot, path, entry, known }: Item): Visit | undefined {
    const { assembler, source, stats, oneFileSystem } = this.#deps
    const selection = visit.selection === 'all' ? 'all' : (visit.selection.get(nameKey(entry.name)) ?? 'all')
    const directory = assembler.open({
      parent: visit.directory,
      slot,
      entry: makeEntry(source, entry.name, { stat: entry, type: 'directory' }),
      ...(known?.type === 'directory' && isEntryOf(source, entry, known) ? { knownEntry: known } : {}),
    })
    stats.directories += 1
    const foreign = visit.device !== undefined && visit.device !== entry.device
    const tooDeep = visit.depth >= treeDepthMax
    if (tooDeep) this.#problem(path, 'scan', `directories are nested more than ${treeDepthMax} deep; it is saved empty`)
    const device = oneFileSystem && selection === 'all' ? entry.device : undefined
    const tree = known?.type === 'directory' ? known.tree : undefined
    const below = foreign || tooDeep ? new Map<string, Selection>() : selection
    return { path, selection: below, directory, depth: visit.depth + 1, tree, device }
  }

  async #saveFile(item: Item, missing: ReadonlySet<ChunkKey>): Promise<void> {
    const { progress, stats } = this.#deps
    const { visit, slot, path, entry, known } = item
    if (visit.device !== undefined && visit.device !== entry.device) return
    progress.tick(path)
    if (known !== undefined && isUnchanged(entry, known) && !lost(known, missing)) {
      visit.directory.entries[slot] = this.#takeOver(entry, known)
      stats.filesUnmodified += 1
      progress.bytesDone += entry.size
      this.#countFile(path, 'unchanged', entry.size)
      return
    }
    const saved = await this.#attempt(path, () => this.#deps.save(path, entry))
    if (saved === 'failed') return
    visit.directory.entries[slot] = saved
    const action = known?.type === 'file' ? 'modified' : 'new'
    if (action === 'new') stats.filesNew += 1
    else stats.filesChanged += 1
    this.#countFile(path, action, saved?.size ?? entry.size)
  }

  #takeOver(entry: SourceEntry, known: TreeEntry): TreeEntry {
    if (isEntryOf(this.#deps.source, entry, known)) return known
    const { size, extents, extentLists } = known
    return makeEntry(this.#deps.source, entry.name, {
      stat: entry,
      type: 'file',
      content: { size, extents, extentLists },
    })
  }

  async #saveLink({ visit, slot, path, entry, known }: Item): Promise<void> {
    const { source, stats } = this.#deps
    const target = await this.#attempt(path, () => source.readLink(path))
    if (target === 'failed') return
    const unchanged =
      known?.type === 'symlink' && asBuffer(known.target).equals(target) && isEntryOf(source, entry, known)
    visit.directory.entries[slot] = unchanged
      ? known
      : makeEntry(source, entry.name, { stat: entry, type: 'symlink', target })
    stats.symlinks += 1
  }

  /** Reports what the source cannot give; anything else ends the run. */
  async #attempt<T>(path: Uint8Array, work: () => Promise<T>): Promise<T | 'failed'> {
    try {
      return await work()
    } catch (error) {
      this.#deps.scope.throwIfFailed()
      if (!isTwofoldError(error, 'not-found', 'io')) throw error
      this.#problem(path, 'read', error.message)
      return 'failed'
    }
  }

  #countFile(path: Uint8Array, action: 'new' | 'modified' | 'unchanged', size: number): void {
    this.#deps.stats.totalBytes += size
    this.#deps.progress.filesDone += 1
    this.#deps.progress.file(path, action, size)
  }

  #problem(path: Uint8Array, during: 'scan' | 'read', message: string): void {
    this.#deps.stats.errors += 1
    this.#deps.progress.problem(path, during, message)
  }
}

/** Whether a file need not be read again. */
function isUnchanged(entry: SourceEntry, known: TreeEntry): boolean {
  return (
    entry.type === 'file' &&
    known.type === 'file' &&
    entry.size === known.size &&
    entry.mtimeNs === known.mtimeNs &&
    entry.ctimeNs === known.ctimeNs &&
    entry.inode === known.inode
  )
}

function lost(known: TreeEntry, missing: ReadonlySet<ChunkKey>): boolean {
  if (missing.size === 0) return false
  const gone = (id: ChunkId | undefined): boolean => id !== undefined && missing.has(chunkKey(id))
  return known.extents.some(({ chunk }) => gone(chunk)) || known.extentLists.some(gone)
}

function shown(path: Uint8Array): string {
  return Buffer.from(path).toString('utf8')
}
