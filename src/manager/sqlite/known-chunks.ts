import type { ChunkId } from '../../core/ids.ts'
import { ChunkFilter } from './chunk-filter.ts'
import type { Statements } from './statements.ts'

/** Rows of one piece of reading the table: about two milliseconds. */
const rowsPerStep = 2048
/** How much room a new filter has for more than what is there. */
const growth = 1.25

/** Sorts before every id. */
const beforeAll = { vault: 0, chunkId: new Uint8Array() as ChunkId }

/** A filter that is being made from the table, and how far that is. */
interface Draft {
  readonly filter: ChunkFilter
  vault: number
  chunkId: ChunkId
}

const selectNext = `SELECT vault, chunk_id FROM chunks WHERE (vault, chunk_id) > (?, ?)
  ORDER BY vault, chunk_id LIMIT ${rowsPerStep}`

/**
 * Tells of most ids that are not in the table that they are not, without reading it: a look-up of what is new would
 * otherwise read a random page for each id. It knows nothing until it was made from the whole table, bit by bit.
 */
export class KnownChunks {
  readonly #db: Statements
  #filter: ChunkFilter | undefined
  #draft: Draft | undefined

  constructor(db: Statements) {
    this.#db = db
  }

  /** False only for what no transaction entered. */
  mayHave(id: ChunkId): boolean {
    return this.#filter?.mayHave(id) ?? true
  }

  /** To be called for everything that a transaction enters, even if that may be rolled back. */
  add(id: ChunkId): void {
    this.#filter?.add(id)
    this.#draft?.filter.add(id)
  }

  /** Whether `step` has nothing to do. */
  get ready(): boolean {
    return this.#draft === undefined && this.#filter?.full === false
  }

  /** Goes on making the filter, or a larger one when it is full, from what is committed. */
  step(): void {
    if (this.ready) return
    const draft = (this.#draft ??= { filter: new ChunkFilter(this.#count() * growth), ...beforeAll })
    const rows = this.#db.tuples<readonly [number, ChunkId]>(selectNext, draft.vault, draft.chunkId)
    for (const [vault, id] of rows) {
      draft.filter.add(id)
      draft.vault = vault
      draft.chunkId = id
    }
    if (rows.length === rowsPerStep) return
    this.#filter = draft.filter
    this.#draft = undefined
  }

  #count(): number {
    return this.#db.get<{ chunks: number }>('SELECT coalesce(sum(chunks), 0) AS chunks FROM vaults')?.chunks ?? 0
  }
}
