import { invariant } from '../core/errors.ts'
import { packBytesMax, packRecordsMax, packRefsBytesMax } from '../core/limits.ts'
import { blake3 } from './hash.ts'
import {
  encodePackFooter,
  indexBytes,
  indexEntryBytes,
  indexHeaderBytes,
  packFooterBytes,
  writeIndexEntry,
  writeIndexHeader,
} from './pack-index.ts'
import { recordHeaderBytes, vaultIdBytes } from './record-header.ts'
import type { SealedRecord } from './record.ts'

/** Builds one pack in memory that the caller owns and reuses. Nothing is allocated for the bytes of records. */
export class PackWriter {
  readonly #slab: Uint8Array
  readonly #vaultId: Uint8Array
  /** Where each record starts; their headers in the slab are what the index is made of. */
  readonly #offsets: number[] = []
  #position = 0
  #refsBytes = 0
  #finished = false

  /** @param vaultId 16 bytes; every record must be of this vault. */
  constructor(slab: Uint8Array, vaultId: Uint8Array) {
    invariant(vaultId.length === vaultIdBytes, `a vault id must be ${vaultIdBytes} bytes`)
    this.#slab = slab.subarray(0, Math.min(slab.length, packBytesMax))
    this.#vaultId = vaultId
  }

  get records(): number {
    return this.#offsets.length
  }

  /** Length of the pack if it were finished now, in bytes. */
  get lengthBytes(): number {
    return this.#position + indexBytes(this.#offsets.length) + packFooterBytes
  }

  /** Copies the record into the slab, or answers false and changes nothing when it does not fit any more. */
  append(record: SealedRecord): boolean {
    invariant(!this.#finished, 'a finished pack takes no more records')
    const length = recordHeaderBytes + record.stored.length
    if (this.lengthBytes + length + indexEntryBytes > this.#slab.length) return false
    if (this.records >= packRecordsMax) return false
    if (this.#refsBytes + record.refs.length > packRefsBytesMax) return false
    this.#slab.set(record.header, this.#position)
    this.#slab.set(record.stored, this.#position + recordHeaderBytes)
    this.#offsets.push(this.#position)
    this.#position += length
    this.#refsBytes += record.refs.length
    return true
  }

  /** Writes index and footer, and gives back the pack: the beginning of the slab. There must be a record in it. */
  finish(): Uint8Array {
    invariant(!this.#finished && this.records > 0, 'a pack is finished once, and has at least one record')
    this.#finished = true
    const packLength = this.lengthBytes
    const indexOffset = this.#position
    const index = this.#slab.subarray(indexOffset, indexOffset + indexBytes(this.records))
    writeIndexHeader(index, this.records)
    this.#offsets.forEach((offset, record) => {
      const header = this.#slab.subarray(offset, offset + recordHeaderBytes)
      writeIndexEntry(index.subarray(indexHeaderBytes + record * indexEntryBytes), header, offset)
    })
    const footer = encodePackFooter({
      records: this.records,
      indexOffset,
      indexLength: index.length,
      packLength,
      vaultId: this.#vaultId,
      indexHash: blake3(index),
    })
    this.#slab.set(footer, indexOffset + index.length)
    return this.#slab.subarray(0, packLength)
  }
}
