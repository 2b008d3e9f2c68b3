import type { PackId } from '../core/ids.ts'

/**
 * Where a node keeps its packs, as a port.
 *
 * Contract:
 * - A pack is there or not: nothing of a draft is visible through `stat`, `open` or `list` before `seal` resolved, and
 *   a draft that was not sealed is gone after a restart.
 * - When `seal` resolves, the pack is durable: it survives the loss of power.
 * - Put sequences grow and are never given twice in the life of a store.
 * - A pack's bytes never change. One that is sealed again is a new put, which takes the place of the older one. A pack
 *   that is removed or replaced while it is read can be read to its end.
 * - A pack that was removed does not come back, whatever fails on the way: a removal that failed is repeated.
 * - Errors: `no-room` when capacity or disk are full (the draft must be aborted, the store goes on); `read-only` when
 *   the store takes no writes any more; `io` when the disk failed, which makes the store read-only if it happened while
 *   something was being made durable or removed. None of these is ever reported as `not-found`.
 */
export interface PackStore {
  /**
   * Starts a pack of exactly `lengthBytes`, for which room is reserved until it is sealed or aborted.
   * @throws `already-exists` while another draft of the same pack and generation is open.
   */
  begin(packId: PackId, generation: number, lengthBytes: number): Promise<PackDraft>
  stat(packId: PackId): StoredPack | undefined
  list(): Iterable<StoredPack>
  /** @throws `not-found` */
  open(packId: PackId): Promise<PackReader>
  /** Removes the pack unless its put is newer than `bound`. @returns whether it is not there any more. */
  remove(packId: PackId, bound: PutBound): Promise<boolean>
  /** Takes note that every byte of a pack was read and found good. Lost at a restart, which only makes it older. */
  markProven(packId: PackId, provenAtMs: number): void
  /** A disk that cannot say how much room it has has none, and the store takes no more writes. */
  usage(): Promise<StoreUsage>
  /** Why the store takes no writes; empty when it does. */
  readonly problem: string
}

/** The newest put that may go: by its own number, or by the generation of the ticket that it was written with. */
export type PutBound = { readonly putSequenceMax: number } | { readonly generationMax: number }

export interface StoredPack {
  readonly packId: PackId
  readonly lengthBytes: number
  /** Of the ticket that it was written with. */
  readonly generation: number
  readonly putSequence: number
  /** 0 when never since it was written. */
  readonly provenAtMs: number
}

export interface PackDraft {
  /** Appends at the end. @throws `invalid-argument` beyond the announced length. */
  append(slice: Uint8Array): Promise<void>
  /** Reads back what was appended, also after sealing, until `close`. @returns how many bytes. */
  read(target: Uint8Array, offset: number): Promise<number>
  /** Makes the pack durable and visible. @throws `invalid-argument` when bytes are missing. */
  seal(): Promise<StoredPack>
  /** Ends the draft. One that was not sealed is removed, and its room is free again. Never throws; safe to repeat. */
  close(): Promise<void>
}

export interface PackReader {
  readonly pack: StoredPack
  /** @returns how many bytes: fewer than `target.length` only at the end. */
  read(target: Uint8Array, offset: number): Promise<number>
  close(): Promise<void>
}

export interface StoreUsage {
  readonly capacityBytes: number
  readonly usedBytes: number
  /** What can still be written: the smaller of capacity left and disk left, less what is reserved. */
  readonly freeBytes: number
  readonly packs: number
  readonly putSequence: number
  /** XOR over all packs of BLAKE3-256(pack id, put sequence as 8 bytes, little endian); 32 bytes. */
  readonly inventoryDigest: Uint8Array
}
