import { fromHex } from '../core/ids.ts'
import type { PackId } from '../core/ids.ts'
import { blake3 } from './hash.ts'

export const copyDigestBytes = 32

/** What one copy adds to an inventory's digest: BLAKE3-256 of pack id and put sequence (8 bytes, little endian). */
export function copyDigest(packId: PackId, putSequence: number): Uint8Array {
  const name = Buffer.alloc(24)
  name.set(fromHex(packId))
  name.writeBigUInt64LE(BigInt(putSequence), 16)
  return blake3(name)
}

/** The digest with a copy added that was not in it, or taken out when it was. */
export function toggleCopy(digest: Uint8Array, packId: PackId, putSequence: number): Uint8Array {
  return xorDigests(digest, copyDigest(packId, putSequence))
}

export function xorDigests(one: Uint8Array, other: Uint8Array): Uint8Array {
  return one.map((byte, index) => byte ^ (other[index] ?? 0))
}
