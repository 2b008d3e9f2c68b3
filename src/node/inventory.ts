import { fromHex } from '../core/ids.ts'
import type { PackId } from '../core/ids.ts'
import { blake3 } from '../format/hash.ts'
import type { StoredPack } from './pack-store.ts'

/** The packs of a store in memory, with the sums that every heartbeat reports. */
export class Inventory {
  readonly #packs = new Map<PackId, StoredPack>()
  readonly #digest = new Uint8Array(32)
  #usedBytes = 0

  get usedBytes(): number {
    return this.#usedBytes
  }

  get size(): number {
    return this.#packs.size
  }

  get digest(): Uint8Array {
    return this.#digest.slice()
  }

  get(packId: PackId): StoredPack | undefined {
    return this.#packs.get(packId)
  }

  values(): Iterable<StoredPack> {
    return this.#packs.values()
  }

  /** Adds a pack or replaces what is known of it. */
  put(pack: StoredPack): void {
    this.delete(pack.packId)
    this.#packs.set(pack.packId, pack)
    this.#usedBytes += pack.lengthBytes
    this.#toggle(pack)
  }

  delete(packId: PackId): void {
    const pack = this.#packs.get(packId)
    if (pack === undefined) return
    this.#packs.delete(packId)
    this.#usedBytes -= pack.lengthBytes
    this.#toggle(pack)
  }

  #toggle(pack: StoredPack): void {
    const name = Buffer.alloc(24)
    name.set(fromHex(pack.packId))
    name.writeBigUInt64LE(BigInt(pack.putSequence), 16)
    const hash = blake3(name)
    hash.forEach((byte, index) => (this.#digest[index] = (this.#digest[index] ?? 0) ^ byte))
  }
}
