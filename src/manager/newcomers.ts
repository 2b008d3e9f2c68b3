import type { CatalogueReader, CatalogueWriter } from './catalogue.ts'

const setting = 'newcomers'

/** Rows of nodes, and the entries of the log with which they joined. */
type Joined = readonly (readonly [node: number, sequence: number])[]

/** What is known of the other nodes when newcomers are looked at. */
export interface Seniors {
  /** Rows of the nodes that were not removed. */
  readonly nodes: readonly number[]
  /** How far the log of each is. */
  readonly logs: ReadonlyMap<number, number>
  /** How many must know of a newcomer. */
  readonly wanted: number
}

/**
 * Nodes of which a catalogue may not know that was copied a moment ago. It would not wait for their word before it
 * takes itself for the newest, so what only they have recorded could be forgotten. Their word counts when enough of the
 * nodes that were there before, and whose own word counts, know that they joined.
 */
export class Newcomers {
  /** By row. */
  #joined: Map<number, number>

  constructor(joined: Joined) {
    this.#joined = inOrder(joined)
  }

  get size(): number {
    return this.#joined.size
  }

  has(node: number): boolean {
    return this.#joined.has(node)
  }

  add(node: number, sequence: number): void {
    this.#joined = inOrder([...this.#joined, [node, sequence]])
  }

  /**
   * Looks at all of them, the oldest first. Of a thousand nodes a thousand may be new at once, so each is compared with
   * all others only when it may be known well enough.
   *
   * @returns those that are newcomers no more
   */
  settle({ nodes, logs, wanted }: Seniors): number[] {
    const present = new Set(nodes)
    const eldest = nodes.toSorted((a, b) => a - b).slice(0, wanted)
    const counting = nodes.filter((node) => !this.has(node))
    const lengthOf = (node: number): number => logs.get(node) ?? 0
    let lengths = descending(counting.map(lengthOf))
    const settled: number[] = []
    for (const [node, sequence] of this.#joined) {
      // Rows are numbered in the order in which nodes joined.
      const needed = eldest.filter((other) => other < node).length
      const known = (): boolean =>
        counting.filter((other) => other < node && lengthOf(other) >= sequence).length >= needed
      const maybe = needed === 0 || sequence <= (lengths[needed - 1] ?? -1)
      if (present.has(node) && !(maybe && known())) continue
      settled.push(node)
      if (!present.has(node)) continue
      counting.push(node)
      lengths = descending(counting.map(lengthOf))
    }
    for (const node of settled) this.#joined.delete(node)
    return settled
  }
}

function inOrder(joined: Joined): Map<number, number> {
  return new Map(joined.toSorted(([a], [b]) => a - b))
}

function descending(numbers: number[]): number[] {
  return numbers.sort((a, b) => b - a)
}

export async function readNewcomers(tx: CatalogueReader): Promise<Joined> {
  const value = await tx.settings.get(setting)
  return value === undefined ? [] : (JSON.parse(Buffer.from(value).toString()) as Joined)
}

/** The entry of the log with which a node joined; undefined when its word counts. */
export async function joinedAt(tx: CatalogueReader, node: number): Promise<number | undefined> {
  return (await readNewcomers(tx)).find(([newcomer]) => newcomer === node)?.[1]
}

/** In the transaction in which a node joins that is not the first. */
export async function addNewcomer(tx: CatalogueWriter, node: number, sequence: number): Promise<void> {
  await write(tx, [...(await readNewcomers(tx)), [node, sequence]])
}

export async function removeNewcomers(tx: CatalogueWriter, nodes: readonly number[]): Promise<void> {
  const known = await readNewcomers(tx)
  await write(
    tx,
    known.filter(([node]) => !nodes.includes(node)),
  )
}

function write(tx: CatalogueWriter, joined: Joined): Promise<void> {
  return tx.settings.set(setting, Buffer.from(JSON.stringify(joined)))
}
