import { logBytesPerReply, logEntriesPerReplyMax, logPositionsRemembered } from '../core/limits.ts'
import type { LogEntry } from '../core/model.ts'
import type { ChainEnd } from '../format/log-chain.ts'
import type { Catalogue, CatalogueWriter } from './catalogue.ts'

/** The log as it is read all the time: nodes ask for what is new with every heartbeat, and mostly that is nothing. */
export class LogFeed {
  /** To be used instead of the catalogue that was given: it notices what is appended. */
  readonly catalogue: Catalogue
  readonly #source: Catalogue
  readonly #hashes = new Map<number, Uint8Array>()
  #appended = 0
  #head: { readonly at: number; readonly end: ChainEnd | undefined } | undefined

  constructor(source: Catalogue) {
    this.#source = source
    this.catalogue = {
      read: (work) => source.read(work),
      write: (work) => this.#write(work),
      upkeep: () => source.upkeep(),
      healthy: () => source.healthy(),
      close: () => source.close(),
    }
  }

  async #write<T>(work: (tx: CatalogueWriter) => Promise<T>): Promise<T> {
    let appends = false
    try {
      return await this.#source.write((tx) => {
        const append: CatalogueWriter['log']['append'] = (row) => {
          appends = true
          return tx.log.append(row)
        }
        return work({ ...tx, log: { ...tx.log, append } })
      })
    } finally {
      // Also when it failed: the outcome may be unknown.
      if (appends) this.#appended += 1
    }
  }

  /** The newest entry that is committed. */
  async head(): Promise<ChainEnd | undefined> {
    const at = this.#appended
    if (this.#head?.at === at) return this.#head.end
    const row = await this.#source.read((tx) => tx.log.newest())
    const end = row === undefined ? undefined : { sequence: row.sequence, hash: row.hash }
    if (end !== undefined) this.#remember(end)
    this.#head = { at, end }
    return end
  }

  /** The hash of an entry; undefined when there is none of this number. */
  async hashAt(sequence: number): Promise<Uint8Array | undefined> {
    const known = this.#hashes.get(sequence)
    if (known !== undefined) return known
    const row = await this.#source.read((tx) => tx.log.at(sequence))
    if (row !== undefined) this.#remember(row)
    return row?.hash
  }

  /** Some of the entries after this one, the oldest first. */
  async after(sequence: number): Promise<readonly LogEntry[]> {
    if (sequence >= ((await this.head())?.sequence ?? 0)) return []
    const rows = await this.#source.read((tx) => tx.log.after(sequence, logEntriesPerReplyMax))
    let bytes = 0
    const fitting = rows.findIndex((row) => (bytes += row.payload.length + 128) > logBytesPerReply)
    return fitting < 0 ? rows : rows.slice(0, Math.max(1, fitting))
  }

  #remember({ sequence, hash }: ChainEnd): void {
    this.#hashes.set(sequence, hash)
    const [oldest] = this.#hashes.keys()
    if (this.#hashes.size > logPositionsRemembered && oldest !== undefined) this.#hashes.delete(oldest)
  }
}
