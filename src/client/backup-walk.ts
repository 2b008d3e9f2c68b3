import { isTwofoldError } from '../core/errors.ts'
import { chunkKey } from '../core/ids.ts'
import type { ChunkId, ChunkKey } from '../core/ids.ts'
import { treeDepthMax } from '../core/limits.ts'
import type { TreeEntry } from '../format/tree.ts'
import type { Selection } from './backup-targets.ts'
import { EntrySaver, isUnchanged } from './entry-saver.ts'
import type { EntrySaverDeps, Item, Visit } from './entry-saver.ts'
import { packListing } from './packed-listing.ts'
import type { PackedListing } from './packed-listing.ts'
import { idsIn, nameKey } from './parent-trees.ts'
import type { KnownDirectory, ParentTrees } from './parent-trees.ts'
import type { SourceLister } from './source-lister.ts'
import { joinPath } from './source-tree.ts'
import { compareDirectory, isOnDevice } from './unchanged-directory.ts'
import type { UnchangedDirectory } from './unchanged-directory.ts'

/** Directories and entries of one group: what one look-up and one load of parent trees are for. */
const groupDirectoriesMax = 256
const groupEntriesMax = 4096

export interface BackupWalkDeps extends EntrySaverDeps {
  readonly lister: SourceLister
  /** Undefined when there is no parent. */
  readonly parent: ParentTrees | undefined
  /** Completes the entries that `save` gave. */
  readonly settle: () => Promise<void>
}

interface Listed {
  readonly visit: Visit
  readonly listing: PackedListing
}

/** A directory with what the parent has of it. */
interface Compared extends Listed {
  readonly known: KnownDirectory | undefined
  /** Set when nothing in it changed, so that it can be taken over as it is. */
  readonly unchanged: UnchangedDirectory | undefined
  /** Otherwise its entries, to be looked at one by one. */
  readonly items: readonly Item[]
}

/**
 * Walks the source depth first, a group of directories at a time: lists them, loads what the parent has of them in one
 * go, asks in one go whether the content of unchanged files is still there, and then saves them in order.
 */
export class BackupWalk {
  readonly #deps: BackupWalkDeps
  readonly #saver: EntrySaver
  readonly #waiting: Visit[] = []

  constructor(deps: BackupWalkDeps) {
    this.#deps = deps
    this.#saver = new EntrySaver(deps)
  }

  /** `addToRoot` puts entries of its own, in front, into the root directory. */
  async run(selection: Selection, tree: ChunkId | undefined, addToRoot: readonly TreeEntry[]): Promise<ChunkId> {
    const directory = this.#deps.assembler.openRoot()
    directory.entries?.push(...addToRoot)
    const path = Buffer.from('/')
    const device = await this.#deviceOf(path, selection)
    this.#waiting.push({ path, selection, directory, depth: 0, tree, device })
    for (let listed = await this.#listGroup(); listed.length > 0; listed = await this.#listGroup()) {
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
      const listed = { visit, listing: await this.#list(visit) }
      entries += listed.listing.count
      group.push(listed)
    }
    return group
  }

  async #list(visit: Visit): Promise<PackedListing> {
    const { lister } = this.#deps
    try {
      return await lister.list(visit.path, visit.selection)
    } catch (error) {
      if (!isTwofoldError(error, 'not-found', 'io')) throw error
      this.#saver.problem(visit.path, 'scan', error.message)
      visit.directory.dropped = error.code === 'not-found'
      return packListing({ entries: [], problems: [] })
    }
  }

  async #saveGroup(group: readonly Listed[]): Promise<void> {
    const compared = await this.#compare(group)
    const missing = await this.#missing(compared)
    const below: Visit[] = []
    for (const each of compared) below.push(...(await this.#saveDirectory(each, missing)))
    // The last is visited first: directories come in the order of their names.
    this.#waiting.push(...below.reverse())
    await this.#deps.settle()
    for (const { visit } of group) await this.#deps.assembler.close(visit.directory)
  }

  async #compare(group: readonly Listed[]): Promise<Compared[]> {
    const { parent } = this.#deps
    const ids = group.flatMap(({ visit }) => (visit.tree === undefined ? [] : [visit.tree]))
    const trees = await parent?.load(ids)
    const compared: Compared[] = []
    for (const listed of group) {
      const { tree, directory } = listed.visit
      const loaded = tree === undefined ? undefined : trees?.get(chunkKey(tree))
      const unchanged = loaded === undefined ? undefined : await this.#findUnchanged(listed, loaded)
      const isKnown = unchanged !== undefined || (loaded !== undefined && parent?.isReadable(loaded) === true)
      const known = isKnown ? loaded : undefined
      directory.known = known
      compared.push({ ...listed, known, unchanged, items: unchanged === undefined ? itemsOf(listed, known) : [] })
    }
    return compared
  }

  async #findUnchanged(listed: Listed, known: KnownDirectory): Promise<UnchangedDirectory | undefined> {
    const { source } = this.#deps
    const { visit, listing } = listed
    // Entries from elsewhere, in the root, are no part of the listing.
    if (!known.whole || visit.directory.entries?.length !== 0 || visit.depth >= treeDepthMax) return undefined
    if (!isOnDevice(listing, visit.device)) return undefined
    const unchanged = compareDirectory(listing, known.listings, source)
    for (const { index, target } of unchanged?.links ?? []) {
      const now = await this.#saver.tryReadLink(joinPath(visit.path, listing.name(index)))
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

  /** The directories that are to be walked because of it. */
  async #saveDirectory(compared: Compared, missing: ReadonlySet<ChunkKey>): Promise<Visit[]> {
    const { known, unchanged } = compared
    this.#deps.scope.throwIfFailed()
    if (unchanged !== undefined && known !== undefined && !isLost(known, missing)) {
      return this.#takeOver(compared, known, unchanged)
    }
    const items = unchanged === undefined ? compared.items : itemsOf(compared, known)
    const below: Visit[] = []
    for (const item of items) {
      this.#deps.scope.throwIfFailed()
      const child = await this.#saver.save(item, missing)
      if (child !== undefined) below.push(child)
    }
    return below
  }

  #takeOver({ visit, listing }: Listed, known: KnownDirectory, unchanged: UnchangedDirectory): Visit[] {
    const { assembler, progress, stats } = this.#deps
    visit.directory.entries = undefined
    stats.filesUnmodified += unchanged.files
    stats.symlinks += unchanged.links.length
    stats.totalBytes += unchanged.bytes
    progress.filesDone += unchanged.files
    progress.bytesDone += unchanged.bytes
    progress.tick(visit.path)
    if (progress.tellsFiles) {
      const files = listing.entries.filter(({ type }) => type === 'file')
      for (const { name, size } of files) progress.file(joinPath(visit.path, name), 'unchanged', size)
    }
    return unchanged.directories.map(({ index, tree }) => {
      const name = listing.name(index)
      const entry = (): TreeEntry => known.entries.get(nameKey(name)) as TreeEntry
      const directory = assembler.open({ parent: visit.directory, slot: index, entry, knownTree: tree })
      return this.#saver.visitOf(visit, { name, device: listing.device(index) }, { directory, tree })
    })
  }
}

/** One for each entry, with its place in the directory. */
function itemsOf({ visit, listing }: Listed, known: KnownDirectory | undefined): Item[] {
  const slots = (visit.directory.entries ??= [])
  return listing.entries.map((entry) => ({
    visit,
    slot: slots.push(undefined) - 1,
    path: joinPath(visit.path, entry.name),
    entry,
    known: known?.entries.get(nameKey(entry.name)),
  }))
}

function isLost({ listings }: KnownDirectory, missing: ReadonlySet<ChunkKey>): boolean {
  return missing.size > 0 && listings.some(({ refs }) => idsIn(refs).some((id) => missing.has(chunkKey(id))))
}
