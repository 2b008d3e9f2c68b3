import { gcSnapshotsPerSlice } from '../../core/limits.ts'
import type { CatalogueReader } from '../catalogue.ts'
import type { MoveRow } from '../catalogue-rows.ts'
import { decodePackSet } from '../pack-set.ts'
import { Bitmap } from './bitmap.ts'

/**
 * Which packs any snapshot needs, in the trash or not, or the checkpoint of an unfinished backup: those of their sets,
 * and those that chunks of these were moved to. It is read in slices, and never believed as it is: `among` adds, inside
 * the transaction that decides, everything that was committed or saved since. So a list that was taken first and went
 * stale can do no harm.
 */
export class NeededPacks {
  readonly #countsAs: (row: { expiresAtMs: number }) => boolean
  #bits = new Bitmap()
  #setsVersion = -1
  #sequence = 0
  #checkpoint = 0
  #moveNumber = 0
  #passedOver = 0
  /** Moves from packs that are not needed so far. */
  #idleMoves: MoveRow[] = []

  /** @param countsAs which snapshots count; all unless the question is what would be */
  constructor(countsAs: (row: { expiresAtMs: number }) => boolean = () => true) {
    this.#countsAs = countsAs
  }

  /** Commit sequence up to which snapshots were read. */
  get sequence(): number {
    return this.#sequence
  }

  /** How many snapshots did not count. */
  get passedOver(): number {
    return this.#passedOver
  }

  /** Reads on, in a transaction that only reads. @returns whether there is more. */
  async readSlice(tx: CatalogueReader): Promise<boolean> {
    const version = await tx.packs.setsVersion()
    if (version !== this.#setsVersion) this.#begin(version)
    const rows = await tx.snapshots.sets(this.#sequence, gcSnapshotsPerSlice)
    for (const row of rows) {
      if (this.#countsAs(row)) for (const pack of decodePackSet(row.packs)) this.#bits.add(pack)
      else this.#passedOver += 1
      this.#sequence = row.commitSequence
    }
    const checkpoints = await tx.checkpoints.sets(this.#checkpoint, gcSnapshotsPerSlice)
    for (const row of checkpoints) for (const pack of decodePackSet(row.packs)) this.#bits.add(pack)
    this.#checkpoint = checkpoints.at(-1)?.number ?? this.#checkpoint
    const moves = await tx.packs.moves(this.#moveNumber, movesPerSlice)
    this.#moveNumber = moves.at(-1)?.number ?? this.#moveNumber
    this.#idleMoves = follow([...this.#idleMoves, ...moves], (pack) => this.#bits.has(pack), {
      add: (pack) => void this.#bits.add(pack),
    })
    return [rows, checkpoints].some(isFull) || moves.length === movesPerSlice
  }

  /**
   * Those of `packs` that are needed as the transaction sees it; undefined when too much changed since the last slice:
   * then read on, and ask again. It remembers nothing of what it sees here, which may never come to be.
   */
  async among(tx: CatalogueReader, packs: readonly number[]): Promise<Set<number> | undefined> {
    if ((await tx.packs.setsVersion()) !== this.#setsVersion) return undefined
    const rows = await tx.snapshots.sets(this.#sequence, gcSnapshotsPerSlice)
    const checkpoints = await tx.checkpoints.sets(this.#checkpoint, gcSnapshotsPerSlice)
    const moves = await tx.packs.moves(this.#moveNumber, movesPerSlice)
    if ([rows, checkpoints].some(isFull) || moves.length === movesPerSlice) return undefined
    const speaking = [...rows.filter((row) => this.#countsAs(row)), ...checkpoints]
    const fresh = new Set(speaking.flatMap((row) => decodePackSet(row.packs)))
    const needed = (pack: number): boolean => this.#bits.has(pack) || fresh.has(pack)
    follow([...this.#idleMoves, ...moves], needed, fresh)
    return new Set(packs.filter(needed))
  }

  #begin(version: number): void {
    this.#bits = new Bitmap()
    this.#setsVersion = version
    this.#sequence = 0
    this.#checkpoint = 0
    this.#passedOver = 0
    this.#moveNumber = 0
    this.#idleMoves = []
  }
}

const movesPerSlice = 4096

const isFull = (slice: readonly unknown[]): boolean => slice.length === gcSnapshotsPerSlice

/** Adds what chunks of needed packs were moved to, and on from there. @returns the moves that did not apply. */
function follow(
  moves: readonly MoveRow[],
  needed: (pack: number) => boolean,
  into: { add(pack: number): unknown },
): MoveRow[] {
  let left = [...moves]
  for (let before = -1; before !== left.length;) {
    before = left.length
    left = left.filter((move) => {
      if (!needed(move.from)) return true
      into.add(move.to)
      return false
    })
  }
  return left
}
