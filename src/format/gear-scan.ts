import { gearTable } from './gear.ts'

/**
 * Looks for a cut: the position after the first byte in `data[from, to)` at which the gear hash has none of the bits of
 * a mask, or 0 when there is none. The hash forgets a byte after 32 more and is computed from `from - 32` on, so that
 * the answer depends on nothing else; `from` must be at least 32.
 */
export type GearScan = (data: Uint8Array, from: number, to: number) => number

export const gearWindowBytes = 32

/** The scan in TypeScript: what the fast one must agree with, and what is used where WebAssembly is not allowed. */
export function createReferenceScan(mask: number): GearScan {
  const table = gearTable
  return (data, from, to) => {
    let hash = 0
    let at = from - gearWindowBytes
    for (; at < from; at++) hash = ((hash << 1) + table[data[at]!]!) | 0
    for (; at < to; at++) {
      hash = ((hash << 1) + table[data[at]!]!) | 0
      if ((hash & mask) === 0) return at + 1
    }
    return 0
  }
}
