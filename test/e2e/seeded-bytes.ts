/** Incompressible bytes, always the same for a seed. */
export function seededBytes(seed: number, length: number): Buffer {
  const bytes = Buffer.alloc(Math.ceil(length / 4) * 4)
  let state = (seed * 0x9e3779b9) >>> 0 || 1
  for (let at = 0; at < bytes.length; at += 4) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    bytes.writeInt32LE(state | 0, at)
  }
  return bytes.subarray(0, length)
}
