import { isTwofoldError, TwofoldError } from '../core/errors.ts'
import { treeDepthMax } from '../core/limits.ts'
import type { Selection } from './backup-targets.ts'
import { packListing, word } from './packed-listing.ts'
import type { PackedListing } from './packed-listing.ts'
import { nameKey } from './parent-trees.ts'
import type { ListingReport, ReportedListing, SourceLister } from './source-lister.ts'
import { joinPath } from './source-tree.ts'
import type { SourceTree } from './source-tree.ts'

/** Directories and entries of one group: what one look-up and one load of parent trees are for. */
const groupDirectoriesMax = 256
const groupEntriesMax = 4096
/** Groups that are listed and wait: at most about a megabyte each, unless a single directory is larger. */
const groupsAhead = 3
/** Directories that are listed ahead: a listing thread always finds something to do. */
const listingsAhead = 128

const directory = 2

/** A directory that is to be listed. */
export interface ScanPlace {
  readonly path: Uint8Array
  readonly selection: Selection
  readonly depth: number
  /** The file system to stay on, where that was asked for. */
  readonly device: bigint | undefined
}

export interface ScannedDirectory {
  readonly place: ScanPlace
  /** Empty when it could not be listed. */
  readonly listing: PackedListing
  readonly reports: readonly ListingReport[]
  /** Whether it vanished before it was listed. */
  readonly vanished: boolean
  /** Its directories, by their index in the listing; each is scanned in a later group. */
  readonly below: ReadonlyMap<number, ScanPlace>
}

export interface ScanRequest {
  readonly source: SourceTree
  readonly lister: SourceLister
  readonly selection: Selection
  readonly oneFileSystem: boolean
}

/**
 * Lists the source depth first, a group of directories at a time, ahead of whoever takes the groups: it begins at once,
 * and waits when `groupsAhead` groups are ready.
 */
export class SourceScan {
  readonly #request: ScanRequest
  /** The last is listed first. */
  readonly #waiting: ScanPlace[] = []
  readonly #listings = new Map<ScanPlace, Promise<ReportedListing | TwofoldError>>()
  readonly #groups: Promise<readonly ScannedDirectory[]>[] = []

  constructor(request: ScanRequest) {
    this.#request = request
    this.#groups.push(this.#begin())
    while (this.#groups.length < groupsAhead) this.#listNext()
  }

  /** The next group; empty when all is listed. @throws what the source throws, but for `not-found` and `io` */
  async next(): Promise<readonly ScannedDirectory[]> {
    this.#listNext()
    return this.#groups.shift() ?? []
  }

  #listNext(): void {
    const next = (this.#groups.at(-1) as Promise<unknown>).then(() => this.#listGroup())
    // Whoever takes the group gets its failure; until then nobody may be waiting.
    next.catch(() => undefined)
    this.#groups.push(next)
  }

  async #begin(): Promise<readonly ScannedDirectory[]> {
    const { source, selection, oneFileSystem } = this.#request
    const path = Buffer.from('/')
    const device = oneFileSystem && selection === 'all' ? (await source.stat(path)).device : undefined
    this.#waiting.push({ path, selection, depth: 0, device })
    return this.#listGroup()
  }

  async #listGroup(): Promise<readonly ScannedDirectory[]> {
    const group: ScannedDirectory[] = []
    let entries = 0
    while (group.length < groupDirectoriesMax && entries < groupEntriesMax && this.#waiting.length > 0) {
      this.#listAhead()
      const place = this.#waiting.pop() as ScanPlace
      const scanned = this.#scanned(place, await this.#listingOf(place))
      this.#listings.delete(place)
      entries += scanned.listing.count
      group.push(scanned)
    }
    // The last is visited first: directories come in the order of their names.
    for (const { below } of group.toReversed()) this.#waiting.push(...[...below.values()].reverse())
    return group
  }

  /** Asks for many at once, when half of them came: a message to a thread costs as much as some thirty entries. */
  #listAhead(): void {
    if (this.#listings.size > listingsAhead / 2) return
    for (let at = this.#waiting.length - 1; at >= 0 && this.#listings.size < listingsAhead; at--) {
      void this.#listingOf(this.#waiting[at] as ScanPlace)
    }
  }

  #listingOf(place: ScanPlace): Promise<ReportedListing | TwofoldError> {
    const known = this.#listings.get(place)
    if (known !== undefined) return known
    const listing = this.#request.lister.list(place.path, place.selection).catch((error: unknown) => {
      if (isTwofoldError(error, 'not-found', 'io')) return error
      throw error
    })
    listing.catch(() => undefined)
    this.#listings.set(place, listing)
    return listing
  }

  #scanned(place: ScanPlace, listed: ReportedListing | TwofoldError): ScannedDirectory {
    if (listed instanceof TwofoldError) {
      const reports = [{ path: place.path, message: listed.message }]
      return { place, listing: packListing([]), reports, vanished: listed.code === 'not-found', below: new Map() }
    }
    const { listing } = listed
    const reports = [...listed.reports]
    const below = new Map<number, ScanPlace>()
    for (let index = 0; index < listing.count; index++) {
      if (listing.at(index, word.type) === directory)
        below.set(index, this.#placeBelow(place, { listing, index }, reports))
    }
    return { place, listing, reports, vanished: false, below }
  }

  #placeBelow(
    place: ScanPlace,
    { listing, index }: { listing: PackedListing; index: number },
    reports: ListingReport[],
  ): ScanPlace {
    const name = listing.name(index)
    const device = listing.device(index)
    const path = joinPath(place.path, name)
    const selection = place.selection === 'all' ? 'all' : (place.selection.get(nameKey(name)) ?? 'all')
    const stayOn = this.#request.oneFileSystem && selection === 'all' ? device : undefined
    const foreign = place.device !== undefined && place.device !== device
    const tooDeep = place.depth >= treeDepthMax
    if (tooDeep) {
      reports.push({ path, message: `directories are nested more than ${treeDepthMax} deep; it is saved empty` })
    }
    const nothing = new Map<string, Selection>()
    return { path, selection: foreign || tooDeep ? nothing : selection, depth: place.depth + 1, device: stayOn }
  }
}
