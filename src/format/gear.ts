import { blake3 } from './hash.ts'

/**
 * The 256 random numbers of the gear hash: the first four bytes, little endian, of the BLAKE3-256 of
 * `twofold v1 gear ` followed by the number's index as one byte. They never change: other numbers cut elsewhere, and
 * nothing would be found again.
 */
function makeGearTable(): Int32Array {
  const seed = new TextEncoder().encode('twofold v1 gear \0')
  return Int32Array.from({ length: 256 }, (_, index) => {
    seed[seed.length - 1] = index
    const hash = blake3(seed)
    return new DataView(hash.buffer, hash.byteOffset, hash.byteLength).getInt32(0, true)
  })
}

export const gearTable: Int32Array = makeGearTable()
