import { asBuffer } from '../core/ids.ts'

/** Holes are looked for in units of this many bytes; a shorter run of zeros is data. */
export const holeBytesMin = 64 * 1024
const zeros = Buffer.alloc(holeBytesMin)

export interface Run {
  readonly zero: boolean
  readonly length: number
}

/**
 * The run that `bytes` begin with: whole units of zeros, or units that have something else in them. A last, shorter
 * unit counts by its own content. `bytes` must not be empty.
 */
export function leadingRun(bytes: Uint8Array): Run {
  const buffer = asBuffer(bytes)
  const zero = isZero(buffer, 0)
  let end = Math.min(holeBytesMin, buffer.length)
  while (end < buffer.length && isZero(buffer, end) === zero) end = Math.min(end + holeBytesMin, buffer.length)
  return { zero, length: end }
}

function isZero(buffer: Buffer, start: number): boolean {
  const length = Math.min(holeBytesMin, buffer.length - start)
  return buffer.compare(zeros, 0, length, start, start + length) === 0
}
