/**
 * What the promise excludes, and nothing more: it holds as long as no pack loses all its copies at once. So a copy may
 * be taken away only while there is another one that is whole, would survive a loss of power, and counts.
 */
export interface PackHolding {
  readonly packId: string
  /** Nodes with a whole, durable copy that nobody has ordered away. */
  readonly good: ReadonlySet<string>
  /** How many copies of it may be given up at any moment, because there are more than are wanted. */
  readonly surplus: number
  /** Nodes at which a fault ever took a copy of it away. */
  readonly struck: ReadonlySet<string>
  /** Whether somebody may rely on it: the catalogue says that it is committed, or is in doubt. */
  readonly committed: boolean
}

/** Whether the copy of this pack on this node may be lost now. */
export function mayLose(pack: PackHolding, node: string): boolean {
  // Whoever gives up a surplus copy does not know which of the others are bad.
  if (pack.good.size - (pack.good.has(node) ? 1 : 0) > pack.surplus) return true
  // What was never committed is nothing yet; but it may be on its way to that, with a receipt for a copy that is gone.
  return !pack.committed && pack.struck.size === 0
}

/** What is known of the log, and by how many: whether an older catalogue would be recognised. */
export interface LogKnowledge {
  /** How far the durable log of each node is. */
  readonly known: readonly number[]
  /** The newest entry at the last time that a disk was lost; before that every promise was recorded twice. */
  readonly needed: number
}

/** A disk and the catalogue may be lost one after the other, but not both at once. */
export function mayLoseCatalogue({ known, needed }: LogKnowledge, witnesses = 2): boolean {
  return known.filter((sequence) => sequence >= needed).length >= witnesses
}
