import { isTwofoldError } from '../core/errors.ts'
import { asBuffer } from '../core/ids.ts'
import type { Selection } from './backup-targets.ts'
import { cacheTagName, cacheTagSignature, excludeNothing } from './excludes.ts'
import type { Excludes } from './excludes.ts'
import { packListing, PackedListing } from './packed-listing.ts'
import type { SourceEntry, SourceTree } from './source-tree.ts'
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

/** Lists directories of the source without what is excluded. */
export class SourceLister {
  readonly #source: SourceTree
  readonly #excludes: Excludes
  /** Paths that were named and exist. */
  targets = 0

  constructor(source: SourceTree, excludes: Excludes) {
    this.#source = source
    this.#excludes = excludes
  }

  /** @throws `not-found` or `io` when the directory cannot be listed. */
  async list(path: Uint8Array, selection: Selection): Promise<ReportedListing> {
    if (selection !== 'all') return this.#selected(path, selection)
    const listing = await this.#source.list(path)
    const reports = listing.problems.map(({ name, message }) => ({ path: joinPath(path, name), message }))
    if (this.#excludes === excludeNothing) {
      return { listing: listing instanceof PackedListing ? listing : packListing(listing.entries), reports }
    }
    const inCacheDirectory = await this.#isCache(path, listing.entries)
    const entries = listing.entries.filter((entry) => {
      return !this.#excludes(joinPath(path, entry.name), { type: entry.type, inCacheDirectory })
    })
    return { listing: packListing(entries), reports }
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
        } else if (this.#excludes(child, { type: stat.type, inCacheDirectory: false })) {
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
    const start = Buffer.alloc(cacheTagSignature.length)
    try {
      await this.#source.readSmall(joinPath(path, tag.name), start)
    } catch (error) {
      // A tag that cannot be read says nothing; the file itself is reported when it is saved.
      if (!isTwofoldError(error, 'not-found', 'io')) throw error
    }
    return start.toString('latin1') === cacheTagSignature
  }
}
