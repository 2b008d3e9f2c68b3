import { isTwofoldError } from '../core/errors.ts'
import { asBuffer } from '../core/ids.ts'
import type { Selection } from './backup-targets.ts'
import { cacheTagName, cacheTagSignature, excludeNothing } from './excludes.ts'
import type { Excludes } from './excludes.ts'
import { packListing, PackedListing } from './packed-listing.ts'
import type { SourceEntry, SourceTree } from './source-tree.ts'
import { joinPath } from './source-tree.ts'

export interface ListerEvents {
  readonly onProblem: (path: Uint8Array, message: string) => void
  readonly onNote: (message: string) => void
}

const cacheTag = Buffer.from(cacheTagName)

/** Lists directories of the source without what is excluded. */
export class SourceLister {
  readonly #source: SourceTree
  readonly #excludes: Excludes
  readonly #events: ListerEvents
  /** Paths that were named and exist. */
  targets = 0

  constructor(source: SourceTree, excludes: Excludes, events: ListerEvents) {
    this.#source = source
    this.#excludes = excludes
    this.#events = events
  }

  /** @throws `not-found` or `io` when the directory cannot be listed. */
  async list(path: Uint8Array, selection: Selection): Promise<PackedListing> {
    if (selection !== 'all') return packListing({ entries: await this.#selected(path, selection), problems: [] })
    const listing = await this.#source.list(path)
    for (const { name, message } of listing.problems) this.#events.onProblem(joinPath(path, name), message)
    if (this.#excludes === excludeNothing) return listing instanceof PackedListing ? listing : packListing(listing)
    const inCacheDirectory = await this.#isCache(path, listing.entries)
    const entries = listing.entries.filter((entry) => {
      return !this.#excludes(joinPath(path, entry.name), { type: entry.type, inCacheDirectory })
    })
    return packListing({ entries, problems: [] })
  }

  /** The named entries of a directory above the paths; those that lead on to them are seen through symbolic links. */
  async #selected(path: Uint8Array, selection: Map<string, Selection>): Promise<SourceEntry[]> {
    const entries: SourceEntry[] = []
    for (const [part, below] of [...selection].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const name = Buffer.from(part, 'latin1')
      const child = joinPath(path, name)
      try {
        const stat = await this.#source.stat(child, { follow: below !== 'all' })
        if (below !== 'all' && stat.type !== 'directory') this.#events.onProblem(child, 'it is not a directory')
        else if (this.#excludes(child, { type: stat.type, inCacheDirectory: false })) {
          this.#events.onNote(`${child.toString('utf8')} is left out: an exclude pattern matches it`)
        } else {
          if (below === 'all') this.targets += 1
          entries.push({ name, ...stat })
        }
      } catch (error) {
        if (!isTwofoldError(error, 'not-found', 'io')) throw error
        this.#events.onProblem(child, error.code === 'not-found' ? 'there is no such file or directory' : error.message)
      }
    }
    return entries
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
