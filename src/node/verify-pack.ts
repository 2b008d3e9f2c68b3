import { isTwofoldError, TwofoldError } from '../core/errors.ts'
import { asBuffer } from '../core/ids.ts'
import type { PackId } from '../core/ids.ts'
import { sliceBytesMax } from '../core/limits.ts'
import type { ExpectedRecord } from '../core/messages.ts'
import type { PackEntry } from '../core/model.ts'
import { PackVerifier } from '../format/pack-verifier.ts'
import type { VerifiedPack } from '../format/pack-verifier.ts'
import type { Custodian } from './custodian.ts'
import type { PackReader, StoredPack } from './pack-store.ts'

export type PackCheck =
  | { readonly good: true; readonly digest: Uint8Array; readonly records: number; readonly lengthBytes: number }
  | { readonly good: false; readonly problem: string; readonly records: number; readonly lengthBytes: number }

export interface CheckOptions {
  readonly signal?: AbortSignal | undefined
  /** Called before so many bytes are read; what is to be waited for. */
  readonly before?: (bytes: number) => Promise<void>
  /** A record that the pack must have: another pack in its place is damage, too. */
  readonly expected?: ExpectedRecord | undefined
}

/**
 * Reads a pack from the disk and checks every hash in it, in bounded memory. A damaged one is put aside.
 * @throws `not-found`; `io` and `overloaded` when it cannot be opened, which says nothing of it. Damage is an answer.
 */
export async function verifyPack(
  custodian: Custodian,
  packId: PackId,
  { signal, before, expected }: CheckOptions = {},
): Promise<PackCheck> {
  let pack: StoredPack | undefined
  try {
    const reader = await custodian.open(packId)
    pack = reader.pack
    try {
      const how = { signal, expected, before: before ?? (() => Promise.resolve()) }
      const check = await readThrough(reader, custodian, how)
      return { good: true, digest: check.digest, records: check.entries.length, lengthBytes: pack.lengthBytes }
    } finally {
      await reader.close()
    }
  } catch (error) {
    if (!isDamage(error) && !(pack !== undefined && isTwofoldError(error, 'io'))) throw error
    return { good: false, problem: error.message, records: 0, lengthBytes: pack?.lengthBytes ?? 0 }
  }
}

async function readThrough(
  reader: PackReader,
  custodian: Custodian,
  { signal, before, expected }: Required<CheckOptions>,
): Promise<VerifiedPack> {
  const { pack } = reader
  const check = new PassingCheck(pack, custodian)
  const buffer = new Uint8Array(Math.min(sliceBytesMax, pack.lengthBytes))
  for (let offset = 0; offset < pack.lengthBytes;) {
    const length = Math.min(buffer.length, pack.lengthBytes - offset)
    await before(length)
    signal?.throwIfAborted()
    offset += await reader.read(buffer.subarray(0, length), offset)
    await check.push(buffer.subarray(0, length))
  }
  return check.finish(expected)
}

/** Checks a stored pack while it is read from its beginning to its end; a damaged one is put aside. */
export class PassingCheck {
  readonly #pack: StoredPack
  readonly #custodian: Custodian
  #verifier: PackVerifier | undefined

  constructor(pack: StoredPack, custodian: Custodian) {
    this.#pack = pack
    this.#custodian = custodian
  }

  /** @throws `integrity`, `unsupported` */
  push(bytes: Uint8Array): Promise<void> {
    return this.#judged(() => {
      this.#verifier ??= new PackVerifier(this.#pack)
      this.#verifier.push(bytes)
    })
  }

  /** @throws `integrity`, also when `expected` is not in it */
  async finish(expected?: ExpectedRecord): Promise<VerifiedPack> {
    const verified = await this.#judged(() => {
      const pack = (this.#verifier ?? new PackVerifier(this.#pack)).finish()
      if (expected !== undefined && !pack.entries.some((entry) => isSame(entry, expected))) {
        throw new TwofoldError('integrity', 'it is another pack: what should be in it is not')
      }
      return pack
    })
    this.#custodian.acquit(this.#pack)
    return verified
  }

  async #judged<T>(work: () => T): Promise<T> {
    try {
      return work()
    } catch (error) {
      // A newer format is not damage: the copy stays, and this program can say nothing about it.
      if (isTwofoldError(error, 'integrity', 'invalid-argument'))
        await this.#custodian.condemn(this.#pack, error.message)
      throw error
    }
  }
}

function isSame(entry: PackEntry, { chunkId, offset, length }: ExpectedRecord): boolean {
  return entry.offset === offset && entry.length === length && asBuffer(entry.chunkId).equals(chunkId)
}

function isDamage(error: unknown): error is Error {
  return isTwofoldError(error, 'integrity', 'unsupported', 'invalid-argument')
}
