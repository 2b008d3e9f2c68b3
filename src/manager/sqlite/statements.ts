import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'

/** Prepared statements by their text: each is compiled once. Row types are the caller's word. */
export class Statements {
  readonly #database: DatabaseSync
  readonly #prepared = new Map<string, StatementSync>()
  /** Those that answer with tuples. */
  readonly #ofTuples = new Map<string, StatementSync>()

  constructor(database: DatabaseSync) {
    this.#database = database
  }

  get<Row>(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#prepare(sql).get(...values) as unknown as Row | undefined
  }

  all<Row>(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.#prepare(sql).all(...values) as unknown as Row[]
  }

  /** Rows as arrays of their columns, which cost less than objects. */
  tuples<Row extends readonly unknown[]>(sql: string, ...values: SQLInputValue[]): Row[] {
    const known = this.#ofTuples.get(sql)
    const statement = known ?? this.#database.prepare(sql)
    if (known === undefined) {
      statement.setReturnArrays(true)
      this.#ofTuples.set(sql, statement)
    }
    return statement.all(...values) as unknown as Row[]
  }

  /** Resolves with the number of rows that changed, and the row number of the last insert. */
  run(sql: string, ...values: SQLInputValue[]): { changes: number; rowNumber: number } {
    const result = this.#prepare(sql).run(...values)
    return { changes: Number(result.changes), rowNumber: Number(result.lastInsertRowid) }
  }

  #prepare(sql: string): StatementSync {
    const known = this.#prepared.get(sql)
    if (known !== undefined) return known
    const statement = this.#database.prepare(sql)
    this.#prepared.set(sql, statement)
    return statement
  }
}
