import { packBytesTarget, smallPackBytes, smallPacksMax } from '../../core/limits.ts'

/** A pack that is needed, and how much of it. */
export interface WeighedPack {
  readonly id: number
  readonly lengthBytes: number
  readonly neededBytes: number
}

/** All packs in sum, and those among them that may be worth moving. */
export interface Weighed {
  neededBytes: number
  unusedBytes: number
  readonly candidates: WeighedPack[]
}

export interface RepackPlan {
  /** Rows of packs in the order in which they are best moved. */
  readonly packs: readonly number[]
  readonly bytesToMove: number
  readonly bytesToFree: number
  readonly bytesUnused: number
}

export function newWeighed(): Weighed {
  return { neededBytes: 0, unusedBytes: 0, candidates: [] }
}

export function addWeighed(weighed: Weighed, pack: WeighedPack): void {
  weighed.neededBytes += pack.neededBytes
  weighed.unusedBytes += unusedOf(pack)
  if (isWasteful(pack) || pack.lengthBytes < smallPackBytes) weighed.candidates.push(pack)
}

const unusedOf = (pack: WeighedPack): number => pack.lengthBytes - pack.neededBytes

/** A pack of which no larger share is unneeded is not worth moving, whatever the sum. */
const frugalPermille = 20

function isWasteful(pack: WeighedPack): boolean {
  return pack.neededBytes === 0 || unusedOf(pack) * 1000 > pack.lengthBytes * frugalPermille
}

function sum(packs: readonly WeighedPack[], value: (pack: WeighedPack) => number): number {
  return packs.reduce((total, pack) => total + value(pack), 0)
}

/**
 * Which packs to move: those of which nothing is left, then those with the largest share of unneeded bytes until what
 * remains unused is at most `unusedPermilleMax` of what is needed, and small ones as soon as they fill a pack or are
 * too many.
 */
export function planRepack(weighed: Weighed, unusedPermilleMax: number): RepackPlan {
  const allowed = (weighed.neededBytes * unusedPermilleMax) / 1000
  const share = (pack: WeighedPack): number => unusedOf(pack) / pack.lengthBytes
  const wasteful = weighed.candidates.filter(isWasteful).sort((a, b) => share(b) - share(a) || a.id - b.id)
  const chosen = new Set<WeighedPack>()
  let unused = weighed.unusedBytes
  for (const pack of wasteful) {
    if (pack.neededBytes > 0 && unused <= allowed) break
    chosen.add(pack)
    unused -= unusedOf(pack)
  }
  const small = weighed.candidates.filter((pack) => pack.lengthBytes < smallPackBytes && !chosen.has(pack))
  if (sum(small, (pack) => pack.neededBytes) >= packBytesTarget || small.length >= smallPacksMax) {
    for (const pack of small) chosen.add(pack)
  }
  const list = [...chosen]
  return {
    packs: list.map((pack) => pack.id),
    bytesToMove: sum(list, (pack) => pack.neededBytes),
    bytesToFree: sum(list, unusedOf),
    bytesUnused: weighed.unusedBytes,
  }
}
