import { InvariantError, TwofoldError } from '../core/errors.ts'
import { asBuffer } from '../core/ids.ts'
import { packBytesMax, packRecordsMax, packRefsBytesMax } from '../core/limits.ts'
import type { PackEntry } from '../core/model.ts'
import { blake3, createHasher } from './hash.ts'
import type { Hasher } from './hash.ts'
import { decodeManifest } from './manifest.ts'
import {
  decodePackFooter,
  encodePackFooter,
  indexBytes,
  indexEntryBytes,
  indexHeaderBytes,
  indexMagic,
  packBytesMin,
  packFooterBytes,
  readIndexHeader,
  writeIndexEntry,
} from './pack-index.ts'
import { decodeRecordHeader, recordHeaderBytes } from './record-header.ts'
import type { RecordHeader } from './record-header.ts'

export interface VerifiedPack {
  /** BLAKE3-256 over all record headers and the index: equal packs have equal digests. */
  readonly digest: Uint8Array
  readonly entries: PackEntry[]
}

/** What of the pack comes next; `broken` after a failure, so that nothing that follows can be taken for good. */
type State = 'record-or-index' | 'header' | 'stored' | 'index' | 'footer' | 'done' | 'broken'

/** The record whose stored bytes are passing. */
interface Passing {
  readonly header: RecordHeader
  readonly offset: number
  readonly indexEntry: Uint8Array
  /** The references, and for a snapshot its manifest too: all that is kept of the stored bytes. */
  readonly kept: Uint8Array
  /** Not made when all the stored bytes came in one slice. */
  hasher: Hasher | undefined
  seen: number
}

/**
 * Checks a pack as it streams past, whatever the sizes of the slices. Of records' bodies it keeps nothing but the
 * references and manifests; so it holds at most `packRefsBytesMax` of references, one manifest and two copies of the
 * index. No length that the stream claims is used before it is checked against the limits and the announced length.
 *
 * Pushed memory may be reused when `push` returns.
 */
export class PackVerifier {
  readonly #length: number
  #vaultId: Uint8Array | undefined
  #state: State = 'record-or-index'
  #position = 0
  /** Headers and footers that arrive in pieces are put together here. */
  readonly #carry = Buffer.alloc(recordHeaderBytes)
  #carried = 0
  #passing: Passing | undefined
  #refsBytes = 0
  readonly #entries: PackEntry[] = []
  readonly #indexEntries: Uint8Array[] = []
  #index: Buffer = Buffer.alloc(0)
  #indexOffset = 0
  readonly #digest = createHasher()

  /**
   * @param options `lengthBytes` as announced by the sender; every record must be of `vaultId` (16 bytes), or, when it
   *   is not known, of the vault of the first record.
   * @throws TwofoldError `invalid-argument` for a length that no pack can have.
   */
  constructor(options: { readonly lengthBytes: number; readonly vaultId?: Uint8Array }) {
    const { lengthBytes, vaultId } = options
    if (!Number.isSafeInteger(lengthBytes) || lengthBytes < packBytesMin || lengthBytes > packBytesMax) {
      const range = `between ${packBytesMin} and ${packBytesMax}`
      throw new TwofoldError('invalid-argument', `a pack's length must be ${range} bytes, not ${lengthBytes}`)
    }
    this.#length = lengthBytes
    this.#vaultId = vaultId === undefined ? undefined : new Uint8Array(vaultId)
  }

  /** @throws TwofoldError `integrity` for damage of any kind, `unsupported` for a newer format. */
  push(slice: Uint8Array): void {
    if (this.#state === 'broken') throw damaged('more bytes after a failure')
    try {
      let offset = 0
      while (offset < slice.length) {
        const taken = this.#take(offset === 0 ? slice : slice.subarray(offset))
        offset += taken
        this.#position += taken
        this.#advance()
      }
    } catch (error) {
      this.#state = 'broken'
      throw error
    }
  }

  /** @throws TwofoldError `integrity` when the pack is not complete. */
  finish(): VerifiedPack {
    if (this.#state !== 'done') throw damaged(`it ends after ${this.#position} of ${this.#length} bytes`)
    return { digest: this.#digest.digest(), entries: this.#entries }
  }

  /** Takes in what it can of `bytes` (at least one of them) and says how much that was. */
  #take(bytes: Uint8Array): number {
    switch (this.#state) {
      case 'record-or-index':
        return this.#carryOver(bytes, indexHeaderBytes)
      case 'header':
        return this.#carryOver(bytes, recordHeaderBytes)
      case 'stored':
        return this.#takeStored(bytes)
      case 'index':
        return this.#takeIndex(bytes)
      case 'footer':
        return this.#carryOver(bytes, packFooterBytes)
      default:
        throw damaged(`it is longer than the announced ${this.#length} bytes`)
    }
  }

  #carryOver(bytes: Uint8Array, wanted: number): number {
    const taken = Math.min(bytes.length, wanted - this.#carried)
    this.#carry.set(bytes.subarray(0, taken), this.#carried)
    this.#carried += taken
    return taken
  }

  /** Goes on to the next state when all of the present one is there; more than once where the next needs no bytes. */
  #advance(): void {
    if (this.#state === 'record-or-index' && this.#carried === indexHeaderBytes) {
      if (this.#carry.readUInt32LE(0) === indexMagic) this.#startIndex()
      else this.#state = 'header'
    } else if (this.#state === 'header' && this.#carried === recordHeaderBytes) {
      this.#startRecord()
    } else if (this.#state === 'footer' && this.#carried === packFooterBytes) {
      this.#endFooter()
    }
    if (this.#passing !== undefined && this.#passing.seen === this.#passing.header.storedLength) {
      this.#endRecord(this.#passing)
    }
  }

  #startRecord(): void {
    const header = decodeRecordHeader(this.#carry)
    this.#vaultId ??= header.vaultId
    if (!same(header.vaultId, this.#vaultId)) throw damaged('a record is of another vault')
    const records = this.#entries.length + 1
    if (records > packRecordsMax) throw damaged('it has more records than the limit')
    if (this.#position + header.storedLength + indexBytes(records) + packFooterBytes > this.#length) {
      throw damaged('a record is longer than what is left of the announced length')
    }
    this.#refsBytes += header.refsLength
    if (this.#refsBytes > packRefsBytesMax) throw damaged('its records have more references than the limit')
    const offset = this.#position - recordHeaderBytes
    const indexEntry = new Uint8Array(indexEntryBytes)
    writeIndexEntry(indexEntry, this.#carry, offset)
    this.#digest.update(this.#carry)
    const kept = new Uint8Array(header.kind === 'snapshot' ? header.storedLength : header.refsLength)
    this.#passing = { header, offset, indexEntry, kept, hasher: undefined, seen: 0 }
    this.#carried = 0
    this.#state = 'stored'
  }

  #takeStored(bytes: Uint8Array): number {
    const passing = this.#record()
    const { header, kept } = passing
    const taken = Math.min(bytes.length, header.storedLength - passing.seen)
    const part = bytes.subarray(0, taken)
    if (passing.seen < kept.length) kept.set(part.subarray(0, kept.length - passing.seen), passing.seen)
    if (taken === header.storedLength) {
      checkStoredHash(header, blake3(part))
    } else {
      passing.hasher ??= createHasher()
      passing.hasher.update(part)
    }
    passing.seen += taken
    return taken
  }

  #endRecord({ header, offset, indexEntry, kept, hasher }: Passing): void {
    if (hasher !== undefined) checkStoredHash(header, hasher.digest())
    else if (header.storedLength === 0) checkStoredHash(header, blake3(kept))
    if (header.kind === 'data' && header.codec === 'raw' && !same(header.chunkId, header.storedHash)) {
      throw damaged('the content of a data record does not match its id')
    }
    if (header.kind === 'snapshot') checkSnapshot(header, kept)
    this.#entries.push({
      chunkId: header.chunkId,
      kind: header.kind,
      offset,
      length: recordHeaderBytes + header.storedLength,
      plainLength: header.plainLength,
      refs: kept.subarray(0, header.refsLength),
    })
    this.#indexEntries.push(indexEntry)
    this.#passing = undefined
    this.#state = 'record-or-index'
  }

  #startIndex(): void {
    const records = readIndexHeader(this.#carry.subarray(0, indexHeaderBytes))
    if (records !== this.#entries.length) throw damaged(`its index has ${records} of ${this.#entries.length} records`)
    this.#indexOffset = this.#position - indexHeaderBytes
    if (this.#indexOffset + indexBytes(records) + packFooterBytes !== this.#length) {
      throw damaged(`it is not as long as the announced ${this.#length} bytes`)
    }
    this.#index = Buffer.concat([this.#carry.subarray(0, indexHeaderBytes), ...this.#indexEntries])
    this.#digest.update(this.#index)
    this.#carried = 0
    this.#state = 'index'
  }

  #takeIndex(bytes: Uint8Array): number {
    const from = this.#position - this.#indexOffset
    const taken = Math.min(bytes.length, this.#index.length - from)
    if (!same(this.#index.subarray(from, from + taken), bytes.subarray(0, taken))) {
      throw damaged('its index does not agree with its records')
    }
    if (from + taken === this.#index.length) this.#state = 'footer'
    return taken
  }

  #endFooter(): void {
    const footer = this.#carry.subarray(0, packFooterBytes)
    // Reading it first tells a newer format from damage.
    decodePackFooter(footer)
    const expected = encodePackFooter({
      records: this.#entries.length,
      indexOffset: this.#indexOffset,
      indexLength: this.#index.length,
      packLength: this.#length,
      vaultId: this.#vaultId ?? footer,
      indexHash: blake3(this.#index),
    })
    if (!same(footer, expected)) throw damaged('its footer does not agree with its records')
    this.#state = 'done'
  }

  #record(): Passing {
    if (this.#passing === undefined) throw new InvariantError('no record is passing')
    return this.#passing
  }
}

function checkStoredHash(header: RecordHeader, hash: Uint8Array): void {
  if (!same(hash, header.storedHash)) throw damaged('the bytes of a record do not match their hash')
}

/** `kept` is the one reference and the manifest: the id must be the manifest's, the reference its root tree. */
function checkSnapshot(header: RecordHeader, kept: Uint8Array): void {
  const manifest = kept.subarray(header.refsLength)
  if (!same(blake3(manifest), header.chunkId)) throw damaged('a snapshot record does not match its id')
  if (!same(decodeManifest(manifest).tree, kept.subarray(0, header.refsLength))) {
    throw damaged('a snapshot record refers to another tree than its manifest')
  }
}

function same(left: Uint8Array, right: Uint8Array): boolean {
  return asBuffer(left).equals(right)
}

function damaged(what: string): TwofoldError {
  return new TwofoldError('integrity', `damaged pack: ${what}`)
}
