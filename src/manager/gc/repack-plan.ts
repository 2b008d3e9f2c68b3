import { packBytesTarget, smallPackBytes, smallPacksMax } from '../../core/limits.ts'

/** A pack that is needed, and how much of it. */
export interface WeighedPack {
  readonly id: number
  readonly lengthBytes: number
  readonly neededBytes: number
}

export interface RepackPlan {
  /** Rows of packs in the order in which they are best moved. */
  readonly packs: readonly number[]
  readonly bytesToMove: number
  readonly bytesToFree: number
  readonly bytesUnused: number
}

/**
 * Which packs to move: those of which nothing is left, then those with the largest share of unneeded bytes until what
 * remains unused is at most `unusedPermilleMax` of all that would be kept, and small ones as soon as they fill a pack
 * or are too many.
 */
export function planRepack(packs: readonly WeighedPack[], unusedPermilleMax: number): RepackPlan {
  const unusedOf = (pack: WeighedPack): number => pack.lengthBytes - pack.neededBytes
  const sum = (of: readonly WeighedPack[], value: (pack: WeighedPack) => number): number =>
    of.reduce((total, pack) => total + value(pack), 0)
  const bytesUnused = sum(packs, unusedOf)
  const allowed = (sum(packs, (pack) => pack.neededBytes) * unusedPermilleMax) / 1000
  const byShare = packs.toSorted((a, b) => unusedOf(b) / b.lengthBytes - unusedOf(a) / a.lengthBytes || a.id - b.id)
  const chosen = new Set<WeighedPack>()
  let unused = bytesUnused
  for (const pack of byShare) {
    if (pack.neededBytes > 0 && (unused <= allowed || unusedOf(pack) * 1000 <= pack.lengthBytes * frugalPermille)) break
    chosen.add(pack)
    unused -= unusedOf(pack)
  }
  const small = packs.filter((pack) => pack.lengthBytes < smallPackBytes && !chosen.has(pack))
  if (sum(small, (pack) => pack.neededBytes) >= packBytesTarget || small.length >= smallPacksMax) {
    for (const pack of small) chosen.add(pack)
  }
  const list = [...chosen]
  return {
    packs: list.map((pack) => pack.id),
    bytesToMove: sum(list, (pack) => pack.neededBytes),
    bytesToFree: sum(list, unusedOf),
    bytesUnused,
  }
}

/** A pack of which no larger share is unneeded is not worth moving, whatever the sum. */
const frugalPermille = 20
