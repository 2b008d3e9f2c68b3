import { chunkKey } from '../core/ids.ts'
import type { ChunkId, ChunkKey } from '../core/ids.ts'
import { treeDepthMax } from '../core/limits.ts'
import type { TreeEntry } from '../format/tree.ts'
import type { Checkpointer } from './checkpointer.ts'
import { EntrySaver, isUnchanged } from './entry-saver.ts'
import type { EntrySaverDeps, Item, Visit } from './entry-saver.ts'
import type { FileSaver } from './file-saver.ts'
import { idsIn, nameKey } from './parent-trees.ts'
import type { KnownDirectory, ParentTrees } from './parent-trees.ts'
import type { SourceScan } from './source-scan.ts'
import { joinPath } from './source-tree.ts'
import { compareDirectory, isOnDevice } from './unchanged-directory.ts'
import type { UnchangedDirectory } from './unchanged-directory.ts'

export interface BackupWalkDeps extends EntrySaverDeps {
  readonly scan: SourceScan
  /** Undefined when there is no parent. */
  readonly parent: ParentTrees | undefined
  /** Completes the entries that `save` gave. */
  readonly settle: () => Promise<void>
  /** Wants to know which files are read next. */
  readonly ahead?: Pick<FileSaver, 'readsAhead' | 'expect'> | undefined
  /** Saves now and then how far the walk is; undefined where that is of no use. */
  readonly checkpointer?: Pick<Checkpointer, 'due' | 'run' | 'leave'> | undefined
}

/** How far ahead files are looked for that are read next. */
const expectedAhead = 64

/** A directory with what the parent has of it. */
interface Compared {
  readonly visit: Visit
  readonly known: KnownDirectory | undefined
  /** Set when nothing in it changed, so that it can be taken over as it is. */
  readonly unchanged: UnchangedDirectory | undefined
  /** Otherwise its entries, to be looked at one by one. */
  readonly items: readonly Item[]
}

/**
 * Takes the source a group of directories at a time: loads what the parent has of them in one go, asks in one go
 * whether the content of unchanged files is still there, and then saves them in order.
 */
export class BackupWalk {
  readonly #deps: BackupWalkDeps
  readonly #saver: EntrySaver

  constructor(deps: BackupWalkDeps) {
    this.#deps = deps
    this.#saver = new EntrySaver(deps)
  }

  /** `addToRoot` puts entries of its own, in front, into the root directory. */
  async run(tree: ChunkId | undefined, addToRoot: readonly TreeEntry[]): Promise<ChunkId> {
    try {
      return await this.#run(tree, addToRoot)
    } catch (error) {
      await this.#deps.checkpointer?.leave()
      throw error
    }
  }

  async #run(tree: ChunkId | undefined, addToRoot: readonly TreeEntry[]): Promise<ChunkId> {
    const { scan, scope, assembler } = this.#deps
    const directory = assembler.openRoot()
    directory.entries?.push(...addToRoot)
    const root = { directory, tree }
    for (let group = await scan.next(); group.length > 0; group = await scan.next()) {
      scope.throwIfFailed()
      await this.#saveGroup(group.map((scanned) => ({ scanned, ...(this.#saver.open.get(scanned.place) ?? root) })))
    }
    return assembler.result()
  }

  async #saveGroup(visits: readonly Visit[]): Promise<void> {
    for (const { scanned, directory } of visits) {
      this.#saver.open.delete(scanned.place)
      directory.dropped = scanned.vanished
      for (const { path, message } of scanned.reports) this.#report(path, message)
    }
    const compared = await this.#compare(visits)
    const missing = await this.#missing(compared)
    for (const each of compared) {
      await this.#saveDirectory(each, missing)
      await this.#pause()
    }
    await this.#deps.settle()
    for (const { directory } of visits) await this.#deps.assembler.close(directory)
  }

  #report(path: Uint8Array | undefined, message: string): void {
    if (path === undefined) this.#deps.progress.note(message)
    else this.#saver.problem(path, 'scan', message)
  }

  async #compare(visits: readonly Visit[]): Promise<Compared[]> {
    const { parent } = this.#deps
    const ids = visits.flatMap(({ tree }) => tree ?? [])
    const trees = await parent?.load(ids)
    const compared: Compared[] = []
    for (const visit of visits) {
      const loaded = visit.tree === undefined ? undefined : trees?.get(chunkKey(visit.tree))
      const unchanged = loaded === undefined ? undefined : await this.#findUnchanged(visit, loaded)
      const isKnown = unchanged !== undefined || (loaded !== undefined && parent?.isReadable(loaded) === true)
      const known = isKnown ? loaded : undefined
      visit.directory.known = known
      compared.push({ visit, known, unchanged, items: unchanged === undefined ? itemsOf(visit, known) : [] })
    }
    return compared
  }

  async #findUnchanged(visit: Visit, known: KnownDirectory): Promise<UnchangedDirectory | undefined> {
    const { listing, place } = visit.scanned
    // Entries from elsewhere, in the root, are no part of the listing.
    if (!known.whole || visit.directory.entries?.length !== 0 || place.depth >= treeDepthMax) return undefined
    if (!isOnDevice(listing, place.device)) return undefined
    const unchanged = compareDirectory(listing, known.listings, this.#deps.source)
    for (const { index, target } of unchanged?.links ?? []) {
      const now = await this.#saver.tryReadLink(joinPath(place.path, listing.name(index)))
      if (now?.equals(target) !== true) return undefined
    }
    return unchanged
  }

  async #missing(compared: readonly Compared[]): Promise<ReadonlySet<ChunkKey>> {
    const files = compared.flatMap(({ items }) =>
      items.flatMap(({ entry, known }) => (known !== undefined && isUnchanged(entry, known) ? known : [])),
    )
    const trees = compared.flatMap(({ known, unchanged }) => (unchanged === undefined ? [] : (known?.listings ?? [])))
    return (await this.#deps.parent?.missing(files, trees)) ?? new Set<ChunkKey>()
  }

  async #saveDirectory(compared: Compared, missing: ReadonlySet<ChunkKey>): Promise<void> {
    const { visit, known, unchanged } = compared
    this.#deps.scope.throwIfFailed()
    if (unchanged !== undefined && known !== undefined && !isLost(known, missing)) {
      this.#takeOver(visit, known, unchanged)
      return
    }
    const items = unchanged === undefined ? compared.items : itemsOf(visit, known)
    for (const [at, item] of items.entries()) {
      this.#deps.scope.throwIfFailed()
      this.#expect(items, at + 1, missing)
      await this.#saver.save(item, missing)
      await this.#pause()
    }
  }

  /** Says which files are read next, as far as anybody wants to know. */
  #expect(items: readonly Item[], from: number, missing: ReadonlySet<ChunkKey>): void {
    const { ahead } = this.#deps
    for (let at = from; ahead?.readsAhead === true && at < Math.min(items.length, from + expectedAhead); at++) {
      const item = items[at] as Item
      if (this.#saver.reads(item, missing)) ahead.expect(item.path, item.entry)
    }
  }

  async #pause(): Promise<void> {
    const { checkpointer } = this.#deps
    if (checkpointer?.due === true) await checkpointer.run()
  }

  #takeOver(visit: Visit, known: KnownDirectory, unchanged: UnchangedDirectory): void {
    const { progress, stats } = this.#deps
    const { listing, place } = visit.scanned
    visit.directory.entries = undefined
    stats.filesUnmodified += unchanged.files
    stats.symlinks += unchanged.links.length
    stats.totalBytes += unchanged.bytes
    progress.filesDone += unchanged.files
    progress.bytesDone += unchanged.bytes
    progress.tick(place.path)
    if (progress.tellsFiles) {
      const files = listing.entries.filter(({ type }) => type === 'file')
      for (const { name, size } of files) progress.file(joinPath(place.path, name), 'unchanged', size)
    }
    for (const { index, tree } of unchanged.directories) {
      const name = nameKey(listing.name(index))
      const entry = (): TreeEntry => known.entries.get(name) as TreeEntry
      this.#saver.openBelow(visit, index, { slot: index, entry, knownTree: tree, tree })
    }
  }
}

/** One for each entry, with its place in the directory. */
function itemsOf(visit: Visit, known: KnownDirectory | undefined): Item[] {
  const { scanned, directory } = visit
  const slots = (directory.entries ??= [])
  return scanned.listing.entries.map((entry, index) => ({
    visit,
    index,
    slot: slots.push(undefined) - 1,
    path: joinPath(scanned.place.path, entry.name),
    entry,
    known: known?.entries.get(nameKey(entry.name)),
  }))
}

function isLost({ listings }: KnownDirectory, missing: ReadonlySet<ChunkKey>): boolean {
  return missing.size > 0 && listings.some(({ refs }) => idsIn(refs).some((id) => missing.has(chunkKey(id))))
}
