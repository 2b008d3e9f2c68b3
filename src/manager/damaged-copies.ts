import type { PackId } from '../core/ids.ts'
import type { DamagedCopy } from '../core/messages.ts'
import type { Catalogue } from './catalogue.ts'
import type { DamagedRow } from './catalogue-rows.ts'

type Name = Pick<DamagedRow, 'packId' | 'putSequence'>

/** The copies that nodes have put aside, in memory: every heartbeat names them again. */
export class DamagedCopies {
  readonly #catalogue: Catalogue
  readonly #byNode = new Map<number, Map<string, Name>>()
  /** Those that somebody pruned after, as `row key`. */
  readonly #pruned = new Set<string>()
  #turn = 0

  constructor(catalogue: Catalogue, rows: readonly DamagedRow[]) {
    this.#catalogue = catalogue
    for (const row of rows) this.#of(row.node).set(keyOf(row), row)
  }

  #of(node: number): Map<string, Name> {
    const known = this.#byNode.get(node) ?? new Map<string, Name>()
    this.#byNode.set(node, known)
    return known
  }

  get size(): number {
    return [...this.#byNode.values()].reduce((sum, copies) => sum + copies.size, 0)
  }

  /** Whether any copy of the node is. */
  has(node: number): boolean {
    return (this.#byNode.get(node)?.size ?? 0) > 0
  }

  all(): { readonly node: number; readonly packId: PackId; readonly putSequence: number }[] {
    return [...this.#byNode].flatMap(([node, copies]) =>
      [...copies.values()].map(({ packId, putSequence }) => ({ node, packId, putSequence })),
    )
  }

  /** Up to `limit` of `copies`, going on after those of the last time. */
  inTurn<T>(copies: readonly T[], limit: number): T[] {
    const start = this.#turn < copies.length ? this.#turn : 0
    this.#turn = start + limit
    return copies.slice(start, start + limit)
  }

  /** A prune that a person asked for has come to its end: what nothing needs may go from now on. */
  pruned(): void {
    this.#pruned.clear()
    for (const copy of this.all()) this.#pruned.add(`${copy.node} ${keyOf(copy)}`)
  }

  /** Whether a prune has ended since the copy was put aside, and since the manager's start. */
  wasPruned(copy: Name & { readonly node: number }): boolean {
    return this.#pruned.has(`${copy.node} ${keyOf(copy)}`)
  }

  newsOf(node: number, listed: readonly DamagedCopy[]): DamagedCopy[] {
    const known = this.#of(node)
    return listed.filter((copy) => !known.has(keyOf(copy)))
  }

  /** Those that the node does not name any more. */
  notIn(node: number, listed: readonly DamagedCopy[]): (Name & { readonly node: number })[] {
    const keys = new Set(listed.map(keyOf))
    return [...this.#of(node)].flatMap(([key, { packId, putSequence }]) =>
      keys.has(key) ? [] : [{ node, packId, putSequence }],
    )
  }

  took(node: number, { news, over }: { readonly news: readonly Name[]; readonly over: readonly Name[] }): void {
    const known = this.#of(node)
    for (const copy of news) known.set(keyOf(copy), copy)
    for (const copy of over) known.delete(keyOf(copy))
  }

  /** The node has deleted it. */
  async discarded(node: number, copy: Name): Promise<void> {
    await this.#catalogue.write((tx) => tx.damaged.remove({ node, ...copy }))
    this.#of(node).delete(keyOf(copy))
  }

  dropNode(node: number): void {
    this.#byNode.delete(node)
  }
}

function keyOf({ packId, putSequence }: Name): string {
  return `${packId} ${putSequence}`
}
