import { logBytesPerReply, logBytesRemembered, logEntriesPerReplyMax, logEntriesRemembered } from '../core/limits.ts'
import type { LogEntry } from '../core/model.ts'
import type { ChainEnd } from '../format/log-chain.ts'
import type { Catalogue, CatalogueWriter } from './catalogue.ts'
import type { LogRow } from './catalogue-rows.ts'

/**
 * The log as it is read all the time: nodes ask for what is new with every heartbeat, and mostly that is nothing. When
 * a thousand nodes join, each wants the same entries, so those that were read a moment ago are remembered: what is
 * committed never changes.
 */
export class LogFeed {
  /** To be used instead of the catalogue that was given: it notices what is appended. */
  readonly catalogue: Catalogue
  readonly #source: Catalogue
  readonly #remembered = new Map<number, LogRow>()
  #rememberedBytes = 0
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

  /** The newest entry that is committed, where that is known without a look at the catalogue. */
  get knownHead(): ChainEnd | undefined {
    return this.#head?.at === this.#appended ? this.#head.end : undefined
  }

  /** The newest entry that is committed. */
  async head(): Promise<ChainEnd | undefined> {
    const at = this.#appended
    if (this.#head?.at === at) return this.#head.end
    const row = await this.#source.read((tx) => tx.log.newest())
    const end = row === undefined ? undefined : { sequence: row.sequence, hash: row.hash }
    if (row !== undefined) this.#remember(row)
    this.#head = { at, end }
    return end
  }

  /** The hash of an entry; undefined when there is none of this number. */
  async hashAt(sequence: number): Promise<Uint8Array | undefined> {
    const known = this.#remembered.get(sequence)
    if (known !== undefined) return known.hash
    const row = await this.#source.read((tx) => tx.log.at(sequence))
    if (row !== undefined) this.#remember(row)
    return row?.hash
  }

  /** Some of the entries after this one, the oldest first. */
  async after(sequence: number): Promise<readonly LogEntry[]> {
    const end = (await this.head())?.sequence ?? 0
    if (sequence >= end) return []
    const rows = this.#rememberedAfter(sequence, end) ?? (await this.#readAfter(sequence))
    let bytes = 0
    const fitting = rows.findIndex((row) => (bytes += bytesOf(row)) > logBytesPerReply)
    return fitting < 0 ? rows : rows.slice(0, Math.max(1, fitting))
  }

  /** As many as one reply may have; undefined unless each of them is remembered. */
  #rememberedAfter(sequence: number, end: number): LogRow[] | undefined {
    const rows: LogRow[] = []
    const last = Math.min(sequence + logEntriesPerReplyMax, end)
    for (let next = sequence + 1; next <= last; next++) {
      const row = this.#remembered.get(next)
      if (row === undefined) return undefined
      rows.push(row)
    }
    return rows
  }

  async #readAfter(sequence: number): Promise<LogRow[]> {
    const rows = await this.#source.read((tx) => tx.log.after(sequence, logEntriesPerReplyMax))
    for (const row of rows) this.#remember(row)
    return rows
  }

  #remember(row: LogRow): void {
    if (this.#remembered.has(row.sequence)) return
    this.#remembered.set(row.sequence, row)
    this.#rememberedBytes += bytesOf(row)
    for (const oldest of this.#remembered.values()) {
      if (this.#remembered.size <= logEntriesRemembered && this.#rememberedBytes <= logBytesRemembered) return
      this.#remembered.delete(oldest.sequence)
      this.#rememberedBytes -= bytesOf(oldest)
    }
  }
}

/** Beside its payload: two hashes, its kind, numbers, and what holds them together. */
const entryOverheadBytes = 128

function bytesOf({ payload }: LogRow): number {
  return payload.length + entryOverheadBytes
}
