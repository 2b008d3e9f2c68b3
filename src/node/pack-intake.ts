import { TwofoldError, isTwofoldError } from '../core/errors.ts'
import { sliceBytesMax } from '../core/limits.ts'
import type { PackEntry, TicketClaims } from '../core/model.ts'
import { asBuffer } from '../core/ids.ts'
import { PackVerifier } from '../format/pack-verifier.ts'
import type { Custodian } from './custodian.ts'
import type { PackDraft, PackStore, StoredPack } from './pack-store.ts'
import { verifyPack } from './verify-pack.ts'

export interface ReceivedPack {
  readonly pack: StoredPack
  /** 32 bytes. */
  readonly digest: Uint8Array
  readonly entries: readonly PackEntry[]
  /** Whether it was written just now. A pack that was there before may be part of a snapshot already. */
  readonly fresh: boolean
}

export interface IntakeDeps {
  readonly store: PackStore
  readonly custodian: Custodian
}

/** A pack on its way into the store: every slice is checked, then appended; nothing of it is kept in memory. */
export class PackIntake {
  readonly #deps: IntakeDeps
  readonly #claims: TicketClaims
  readonly #draft: PackDraft
  readonly #verifier: PackVerifier
  #received = 0

  private constructor(deps: IntakeDeps, claims: TicketClaims, { draft, verifier }: Parts) {
    this.#deps = deps
    this.#claims = claims
    this.#draft = draft
    this.#verifier = verifier
  }

  static async begin(deps: IntakeDeps, claims: TicketClaims, lengthBytes: number): Promise<PackIntake> {
    const verifier = new PackVerifier({ lengthBytes, vaultId: claims.vaultId })
    const draft = await deps.store.begin(claims.packId, claims.generation, lengthBytes)
    return new PackIntake(deps, claims, { draft, verifier })
  }

  /** How many bytes were checked and appended. */
  get received(): number {
    return this.#received
  }

  /** @throws `integrity` for bytes that are not what they claim, `invalid-argument` for a slice over the limit. */
  check(slice: Uint8Array): void {
    if (slice.length > sliceBytesMax) {
      throw new TwofoldError('invalid-argument', `a slice may have ${sliceBytesMax} bytes, not ${slice.length}`)
    }
    this.#verifier.push(slice)
  }

  async append(slice: Uint8Array): Promise<void> {
    await this.#draft.append(slice)
    this.#received += slice.length
  }

  /** Reads back what was appended. */
  read(target: Uint8Array, offset: number): Promise<number> {
    return this.#draft.read(target, offset)
  }

  /**
   * Makes the pack durable. One that the store already has is not written again, only compared; a copy that turns out
   * to be damaged then is put aside, and this one takes its place.
   * @throws `already-exists` when the store has another pack under the same id.
   */
  async seal(): Promise<ReceivedPack> {
    const { digest, entries } = this.#verifier.finish()
    const before = this.#deps.store.stat(this.#claims.packId)
    const present = before === undefined ? undefined : await this.#compare(before, digest)
    if (present !== undefined) return { pack: present, digest, entries, fresh: false }
    return { pack: await this.#draft.seal(), digest, entries, fresh: before === undefined }
  }

  /** @returns what is there, undefined when it was damaged or is gone. */
  async #compare(present: StoredPack, digest: Uint8Array): Promise<StoredPack | undefined> {
    const { store, custodian } = this.#deps
    const { packId, putSequence } = present
    const found = await verifyPack(custodian, packId).catch((error: unknown) => {
      if (isTwofoldError(error, 'not-found')) return undefined
      throw error
    })
    if (found?.good === true) {
      if (asBuffer(found.digest).equals(digest)) return present
      throw new TwofoldError('already-exists', `this node has another pack ${packId}; allocate a new one`)
    }
    if (store.stat(packId)?.putSequence !== putSequence) return undefined
    throw new TwofoldError('integrity', `this node cannot compare its copy: ${found?.problem ?? 'it was replaced'}`)
  }

  /** Ends the intake; what was not sealed is removed. */
  close(): Promise<void> {
    return this.#draft.close()
  }
}

interface Parts {
  readonly draft: PackDraft
  readonly verifier: PackVerifier
}
