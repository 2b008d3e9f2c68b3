import { isTwofoldError } from '../core/errors.ts'
import { asBuffer, chunkKey } from '../core/ids.ts'
import type { ChunkId, ChunkKey } from '../core/ids.ts'
import type { TreeEntry } from '../format/tree.ts'
import type { BackupStats } from './backup-stats.ts'
import { isEntryOf, makeEntry } from './entry-maker.ts'
import type { Progress } from './progress.ts'
import type { RunScope } from './run-scope.ts'
import type { ScannedDirectory, ScanPlace } from './source-scan.ts'
import type { SourceEntry, SourceTree } from './source-tree.ts'
import type { DirectoryPlace, OpenDirectory, TreeAssembler } from './tree-assembler.ts'

export interface EntrySaverDeps {
  readonly scope: RunScope
  readonly source: SourceTree
  readonly assembler: TreeAssembler
  /** Reads a file; its entry, or undefined when it is not to be part of the tree. */
  readonly save: (path: Uint8Array, file: SourceEntry) => Promise<TreeEntry | undefined>
  readonly progress: Progress
  readonly stats: BackupStats
}

/** A directory that was begun. */
export interface OpenedPlace {
  readonly directory: OpenDirectory
  /** Its tree in the parent snapshot. */
  readonly tree: ChunkId | undefined
}

/** One that was listed, too. */
export interface Visit extends OpenedPlace {
  readonly scanned: ScannedDirectory
}

/** One entry with what is known of it from the parent. */
export interface Item {
  readonly visit: Visit
  /** Where it is in the listing, and where its entry belongs in the directory. */
  readonly index: number
  readonly slot: number
  readonly path: Uint8Array
  readonly entry: SourceEntry
  readonly known: TreeEntry | undefined
}

/** Saves entries one by one into the directories that they belong to. */
export class EntrySaver {
  readonly #deps: EntrySaverDeps
  /** Directories that were begun and are still to come from the scan. */
  readonly open = new Map<ScanPlace, OpenedPlace>()

  constructor(deps: EntrySaverDeps) {
    this.#deps = deps
  }

  async save(item: Item, missing: ReadonlySet<ChunkKey>): Promise<void> {
    const { progress, stats } = this.#deps
    switch (item.entry.type) {
      case 'directory':
        this.#enter(item)
        break
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
  }

  #enter({ visit, index, slot, entry, known }: Item): void {
    const { source } = this.#deps
    const isKnown = known?.type === 'directory' && isEntryOf(source, entry, known)
    const tree = known?.type === 'directory' ? known.tree : undefined
    if (isKnown) entriesOf(visit)[slot] = known
    const made = isKnown ? known : makeEntry(source, entry.name, { stat: entry, type: 'directory' })
    this.openBelow(visit, index, { slot, entry: () => made, knownTree: isKnown ? tree : undefined, tree })
  }

  /** Begins the directory at `index` of the listing. */
  openBelow(visit: Visit, index: number, what: Omit<DirectoryPlace, 'parent'> & Pick<OpenedPlace, 'tree'>): void {
    const { tree, ...place } = what
    this.#deps.stats.directories += 1
    const directory = this.#deps.assembler.open({ parent: visit.directory, ...place })
    this.open.set(visit.scanned.below.get(index) as ScanPlace, { directory, tree })
  }

  /** Where a link points, or undefined when it cannot be read. */
  async tryReadLink(path: Uint8Array): Promise<Buffer | undefined> {
    try {
      return asBuffer(await this.#deps.source.readLink(path))
    } catch (error) {
      if (isTwofoldError(error, 'not-found', 'io')) return undefined
      throw error
    }
  }

  /** Whether saving it means to read a file. */
  reads({ entry, known }: Item, missing: ReadonlySet<ChunkKey>): boolean {
    if (entry.type !== 'file') return false
    return known === undefined || !isUnchanged(entry, known) || lost(known, missing)
  }

  async #saveFile(item: Item, missing: ReadonlySet<ChunkKey>): Promise<void> {
    const { progress, stats } = this.#deps
    const { visit, slot, path, entry, known } = item
    const { device } = visit.scanned.place
    if (device !== undefined && device !== entry.device) return
    progress.tick(path)
    if (known !== undefined && isUnchanged(entry, known) && !lost(known, missing)) {
      entriesOf(visit)[slot] = this.#takeOver(entry, known)
      stats.filesUnmodified += 1
      progress.bytesDone += entry.size
      this.#countFile(path, 'unchanged', entry.size)
      return
    }
    const saved = await this.#attempt(path, () => this.#deps.save(path, entry))
    if (saved === 'failed') return
    entriesOf(visit)[slot] = saved
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
    entriesOf(visit)[slot] = unchanged ? known : makeEntry(source, entry.name, { stat: entry, type: 'symlink', target })
    stats.symlinks += 1
  }

  /** Reports what the source cannot give; anything else ends the run. */
  async #attempt<T>(path: Uint8Array, work: () => Promise<T>): Promise<T | 'failed'> {
    try {
      return await work()
    } catch (error) {
      this.#deps.scope.throwIfFailed()
      if (!isTwofoldError(error, 'not-found', 'io')) throw error
      this.problem(path, 'read', error.message)
      return 'failed'
    }
  }

  #countFile(path: Uint8Array, action: 'new' | 'modified' | 'unchanged', size: number): void {
    this.#deps.stats.totalBytes += size
    this.#deps.progress.filesDone += 1
    this.#deps.progress.file(path, action, size)
  }

  problem(path: Uint8Array, during: 'scan' | 'read', message: string): void {
    this.#deps.stats.errors += 1
    this.#deps.progress.problem(path, during, message)
  }
}

/** Whether a file need not be read again. */
export function isUnchanged(entry: SourceEntry, known: TreeEntry): boolean {
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

/** Of a directory that is saved entry by entry. */
function entriesOf({ directory }: Visit): (TreeEntry | undefined)[] {
  return (directory.entries ??= [])
}
