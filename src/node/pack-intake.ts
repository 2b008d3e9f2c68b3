import { TwofoldError } from '../core/errors.ts'
import { sliceBytesMax } from '../core/limits.ts'
import type { PackEntry, TicketClaims } from '../core/model.ts'
import { asBuffer } from '../core/ids.ts'
import { PackVerifier } from '../format/pack-verifier.ts'
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

/** A pack on its way into the store: every slice is checked, then appended; nothing of it is kept in memory. */
export class PackIntake {
  readonly #store: PackStore
  readonly #claims: TicketClaims
  readonly #draft: PackDraft
  readonly #verifier: PackVerifier
  #received = 0

  private constructor(store: PackStore, claims: TicketClaims, { draft, verifier }: Parts) {
    this.#store = store
    this.#claims = claims
    this.#draft = draft
    this.#verifier = verifier
  }

  static async begin(store: PackStore, claims: TicketClaims, lengthBytes: number): Promise<PackIntake> {
    const verifier = new PackVerifier({ lengthBytes, vaultId: claims.vaultId })
    const draft = await store.begin(claims.packId, claims.generation, lengthBytes)
    return new PackIntake(store, claims, { draft, verifier })
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
   * Makes the pack durable. One that the store already has is not written again, only compared.
   * @throws `already-exists` when the store has another pack under the same id.
   */
  async seal(): Promise<ReceivedPack> {
    const { digest, entries } = this.#verifier.finish()
    const present = this.#store.stat(this.#claims.packId)
    if (present === undefined) return { pack: await this.#draft.seal(), digest, entries, fresh: true }
    const found = await verifyPack(this.#store, present.packId)
    if (!found.good) throw new TwofoldError('integrity', `this node's copy is damaged: ${found.problem}`)
    if (!asBuffer(found.digest).equals(digest)) {
      throw new TwofoldError('already-exists', `this node has another pack ${present.packId}; allocate a new one`)
    }
    return { pack: present, digest, entries, fresh: false }
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
