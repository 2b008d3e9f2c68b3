import { isTwofoldError } from '../core/errors.ts'
import { asBuffer } from '../core/ids.ts'
import type { Selection } from './backup-targets.ts'
import { ignoreFileBytesMax } from '../core/request-limits.ts'
import { cacheTagName, cacheTagSignature, excludeNothing } from './excludes.ts'
import type { Excludes } from './excludes.ts'
import { ignoreFileName, IgnoreRules } from './ignore-rules.ts'
import { packListing, PackedListing, word } from './packed-listing.ts'
import type { SourceEntry, SourceListing, SourceTree } from './source-tree.ts'
import { joinPath } from './source-tree.ts'

/** Something to tell the user about a directory; `path` is set when something could not be read. */
export interface ListingReport {
  readonly path: Uint8Array | undefined
  readonly message: string
}

export interface ReportedListing {
  readonly listing: PackedListing
  readonly reports: readonly ListingReport[]
}

const cacheTag = Buffer.from(cacheTagName)
const ignoreFile = Buffer.from(ignoreFileName)

/** Lists directories of the source without what is excluded. */
export class SourceLister {
  readonly #source: SourceTree
  readonly #excludes: Excludes
  /** Whether nothing but ignore files, where there are any, leaves something out. */
  readonly #onlyIgnoreFiles: boolean
  /** What ignore files above say of directories that are still to be listed, by path (latin1). */
  readonly #rules = new Map<string, IgnoreRules>()
  /** Paths that were named and exist. */
  targets = 0

  constructor(source: SourceTree, excludes: Excludes) {
    this.#source = source
    this.#excludes = excludes
    this.#onlyIgnoreFiles = excludes.onlyIgnoreFiles === true
  }

  /** @throws `not-found` or `io` when the directory cannot be listed. */
  async list(path: Uint8Array, selection: Selection): Promise<ReportedListing> {
    if (selection !== 'all') return this.#selected(path, selection)
    const listing = await this.#source.list(path)
    const reports = listing.problems.map(({ name, message }) => ({ path: joinPath(path, name), message }))
    const rules = await this.#rulesOf(path, listing)
    if (this.#excludes === excludeNothing || (this.#onlyIgnoreFiles && rules === undefined)) {
      return { listing: listing instanceof PackedListing ? listing : packListing(listing.entries), reports }
    }
    const marker = await this.#markerOf(path, listing.entries)
    const inCacheDirectory = await this.#isCache(path, listing.entries)
    const entries = listing.entries.filter(({ name, type, size }) => {
      const child = joinPath(path, name)
      if (marker !== undefined && !marker.equals(asBuffer(name))) return false
      if (this.#excludes(child, { type, inCacheDirectory, size }) || rules?.ignores(child, type) === true) return false
      if (rules !== undefined && type === 'directory') this.#rules.set(child.toString('latin1'), rules)
      return true
    })
    return { listing: packListing(entries), reports }
  }

  /** What ignore files say of what is in a directory, the one in it included. */
  async #rulesOf(path: Uint8Array, listing: SourceListing): Promise<IgnoreRules | undefined> {
    if (this.#excludes.ignoreFiles !== true) return undefined
    const key = asBuffer(path).toString('latin1')
    const above = this.#rules.get(key)
    this.#rules.delete(key)
    if (!hasFile(listing, ignoreFile)) return above
    const text = await this.#beginning(joinPath(path, ignoreFile), ignoreFileBytesMax)
    return text.length === ignoreFileBytesMax ? above : new IgnoreRules(path, text.toString('utf8'), above)
  }

  /** The name of the file that says that everything beside it is to be left out, if there is one. */
  async #markerOf(path: Uint8Array, entries: readonly SourceEntry[]): Promise<Buffer | undefined> {
    for (const { name, header } of this.#excludes.markers ?? []) {
      const marker = Buffer.from(name)
      if (!entries.some((entry) => entry.type === 'file' && marker.equals(asBuffer(entry.name)))) continue
      const wanted = Buffer.from(header)
      const start = wanted.length === 0 ? wanted : await this.#beginning(joinPath(path, marker), wanted.length)
      if (start.equals(wanted)) return marker
    }
    return undefined
  }

  /** How a file begins; nothing when it cannot be read: the file itself is reported when it is saved. */
  async #beginning(path: Uint8Array, length: number): Promise<Buffer> {
    const start = Buffer.alloc(length)
    try {
      return start.subarray(0, (await this.#source.readSmall(path, start)).length)
    } catch (error) {
      if (!isTwofoldError(error, 'not-found', 'io')) throw error
      return Buffer.alloc(0)
    }
  }

  /** The named entries of a directory above the paths; those that lead on to them are seen through symbolic links. */
  async #selected(path: Uint8Array, selection: Map<string, Selection>): Promise<ReportedListing> {
    const entries: SourceEntry[] = []
    const reports: ListingReport[] = []
    for (const [part, below] of [...selection].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const name = Buffer.from(part, 'latin1')
      const child = joinPath(path, name)
      try {
        const stat = await this.#source.stat(child, { follow: below !== 'all' })
        if (below !== 'all' && stat.type !== 'directory') {
          reports.push({ path: child, message: 'it is not a directory' })
        } else if (this.#excludes(child, { type: stat.type, inCacheDirectory: false, size: stat.size })) {
          const message = `${child.toString('utf8')} is left out: an exclude pattern matches it`
          reports.push({ path: undefined, message })
        } else {
          if (below === 'all') this.targets += 1
          entries.push({ name, ...stat })
        }
      } catch (error) {
        if (!isTwofoldError(error, 'not-found', 'io')) throw error
        const message = error.code === 'not-found' ? 'there is no such file or directory' : error.message
        reports.push({ path: child, message })
      }
    }
    return { listing: packListing(entries), reports }
  }

  async #isCache(path: Uint8Array, entries: readonly SourceEntry[]): Promise<boolean> {
    const tag = entries.find((entry) => entry.type === 'file' && cacheTag.equals(asBuffer(entry.name)))
    if (tag === undefined) return false
    const start = await this.#beginning(joinPath(path, tag.name), cacheTagSignature.length)
    return start.toString('latin1') === cacheTagSignature
  }
}

/** Whether a directory has a file of this name. Entries are not made of a listing to find that out. */
function hasFile(listing: SourceListing, name: Buffer): boolean {
  if (!(listing instanceof PackedListing)) {
    return listing.entries.some((entry) => entry.type === 'file' && name.equals(asBuffer(entry.name)))
  }
  let low = 0
  let high = listing.count - 1
  while (low <= high) {
    const middle = (low + high) >>> 1
    const order = Buffer.compare(listing.name(middle), name)
    if (order === 0) return listing.at(middle, word.type) === fileType
    if (order < 0) low = middle + 1
    else high = middle - 1
  }
  return false
}

/** As listings store the type of a file. */
const fileType = 1
