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
 * - A put that was put aside is neither served, listed nor counted as a pack, also after a restart, until it is
 *   discarded; its bytes count as used. What cannot be whole when the store is opened is put aside, not forgotten.
 * - Errors: `no-room` when capacity or disk are full (the draft must be aborted, the store goes on); `overloaded` when
 *   files or memory are short (as before, but trying again helps); `read-only` when the store takes no writes any more;
 *   `io` when the disk failed, which makes the store read-only until a restart if it happened while something was being
 *   written, made durable or removed. What it holds is still read, removed, put aside and discarded. `integrity` from
 *   `open` when the pack ought to be here and is not, or is put aside. None of these is ever reported as `not-found`.
 * - A draft whose `seal` failed is never sealed again.
 */
export interface PackStore {
  /**
   * Starts a pack of exactly `lengthBytes`, for which room is reserved until it is sealed or aborted.
   * @throws `already-exists` while another draft of the same pack and generation is open.
   */
  begin(packId: PackId, generation: number, lengthBytes: number): Promise<PackDraft>
  stat(packId: PackId): StoredPack | undefined
  list(): Iterable<StoredPack>
  /** All packs, and how far this list is complete. Nothing is waited for. */
  inventory(): StoreInventory
  /** @throws `not-found`, `integrity` when the only copy is put aside, or its file is gone */
  open(packId: PackId): Promise<PackReader>
  /**
   * Removes the pack unless its put is newer than `bound`, and what was put aside of it up to `bound`.
   * @returns whether it is not there any more.
   */
  remove(packId: PackId, bound: PutBound): Promise<boolean>
  /**
   * Puts a damaged put aside. It is out of service at once, and durably when this resolves. Where the disk cannot do
   * that, it stays out of service as long as the process runs, and the store takes no more writes.
   * @returns whether it is aside now: false when the store does not have this put.
   */
  quarantine(packId: PackId, putSequence: number, finding: Finding): Promise<boolean>
  /** What is aside, the longest first. What was wrong is not remembered over a restart. */
  quarantined(): Iterable<QuarantinedPack>
  /** Deletes what is aside, durably; nothing happens when it is not. A pack that is served is never touched. */
  discard(packId: PackId, putSequence: number): Promise<void>
  /**
   * Takes note that every byte of a put was read and found good. It is remembered over a restart once `saveProofs`
   * resolved; losing it only makes the pack look older.
   */
  markProven(packId: PackId, putSequence: number, provenAtMs: number): void
  /** Makes the proofs durable that were noted. A full disk is no failure. */
  saveProofs(): Promise<void>
  /** Makes sure, durably, that the numbers of puts go on above `putSequence`. */
  skipTo(putSequence: number): Promise<void>
  /** A disk that cannot say how much room it has has none, and the store takes no more writes. */
  usage(): Promise<StoreUsage>
  /** Why the store takes no writes; empty when it does. */
  readonly problem: string
  /** Ends what the store itself has open; drafts and readers are closed by whoever has them. */
  close(): Promise<void>
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

/** What is wrong with a copy. */
export interface Finding {
  readonly problem: string
  /** 0 when it is not known any more. */
  readonly foundAtMs: number
}

export interface QuarantinedPack extends Finding {
  readonly packId: PackId
  readonly generation: number
  readonly putSequence: number
  /** Bytes that it still takes. */
  readonly lengthBytes: number
}

export interface StoreInventory {
  readonly packs: readonly StoredPack[]
  /** A put with a number up to this one that is not among `packs` is not there; newer ones may be on their way. */
  readonly asOfPutSequence: number
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
  /** Of packs, and of what is put aside. */
  readonly usedBytes: number
  /** What can still be written: the smaller of capacity left and disk left, less what is reserved. */
  readonly freeBytes: number
  /** Of those that are served, as is the digest. */
  readonly packs: number
  readonly putSequence: number
  /** XOR over all packs of BLAKE3-256(pack id, put sequence as 8 bytes, little endian); 32 bytes. */
  readonly inventoryDigest: Uint8Array
}
