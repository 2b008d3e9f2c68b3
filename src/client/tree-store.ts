import type { ChunkId } from '../core/ids.ts'
import { chunkKey } from '../core/ids.ts'
import type { ChunkKey } from '../core/ids.ts'
import { lookupIdsMax } from '../core/limits.ts'
import type { Codec } from '../format/codec.ts'
import { recordId, sealRecord } from '../format/record.ts'
import type { RecordContent } from '../format/tree.ts'
import type { SealedRecord } from '../format/record.ts'
import type { PackFiller } from './pack-filler.ts'

/** Plain bytes of trees that wait for their look-up. */
const undecidedBytesMax = 4 * 1024 * 1024
/** Stored bytes of new trees that wait for the data they refer to. */
const heldBytesMax = 8 * 1024 * 1024

export interface TreeStoreDeps {
  /** As of `ChunkPipeline`. */
  readonly lookup: ((ids: readonly ChunkId[]) => Promise<readonly boolean[]>) | undefined
  /** Commits all data that trees so far refer to. */
  readonly settleData: () => Promise<void>
  /** One that sends packs one after the other. */
  readonly filler: PackFiller
  readonly codec: Codec
  /** 16 bytes. */
  readonly vaultId: Uint8Array
}

interface Undecided {
  readonly id: ChunkId
  readonly plain: Uint8Array
  readonly refs: Uint8Array
}

/**
 * Keeps trees and extent lists until they may be sent: after the data that they refer to is committed, children before
 * parents. What the vault has already is dropped. Memory is bounded: when too much is held, the data is settled early.
 */
export class TreeStore {
  readonly #deps: TreeStoreDeps
  readonly #seen = new Set<ChunkKey>()
  #undecided: Undecided[] = []
  #undecidedBytes = 0
  #held: SealedRecord[] = []
  #heldBytes = 0

  constructor(deps: TreeStoreDeps) {
    this.#deps = deps
  }

  /** Takes a record of kind `tree`; everything it refers to must have been given before, or be committed. */
  async add(record: RecordContent & { readonly id?: ChunkId }): Promise<ChunkId> {
    const { id = recordId(record.refs, record.plain) } = record
    const key = chunkKey(id)
    if (this.#seen.has(key)) return id
    this.#seen.add(key)
    this.#undecided.push({ ...record, id })
    this.#undecidedBytes += record.plain.length + record.refs.length
    if (this.#undecidedBytes >= undecidedBytesMax || this.#undecided.length >= lookupIdsMax) await this.#decide()
    if (this.#heldBytes >= heldBytesMax) await this.#send()
    return id
  }

  /** Puts all records into packs; the last one is still open behind the filler. */
  async finish(): Promise<void> {
    await this.#decide()
    await this.#send()
  }

  async #decide(): Promise<void> {
    const asked = this.#undecided
    this.#undecided = []
    this.#undecidedBytes = 0
    if (asked.length === 0) return
    const { lookup, codec, vaultId } = this.#deps
    const present = await lookup?.(asked.map(({ id }) => id))
    for (const [index, { id, plain, refs }] of asked.entries()) {
      if (present?.[index] === true) continue
      const record = await sealRecord({ vaultId, kind: 'tree', chunkId: id, plain, refs }, codec)
      this.#held.push(record)
      this.#heldBytes += record.stored.length
    }
  }

  async #send(): Promise<void> {
    const held = this.#held
    this.#held = []
    this.#heldBytes = 0
    await this.#deps.settleData()
    for (const record of held) await this.#deps.filler.append(record)
  }
}
