/** Through the system's cache, or around it. */
export type WriteWay = 'cached' | 'direct'

/** Around the cache a byte costs less processor time, so the cache must be faster by this factor to be taken. */
const cachedFasterBy = 2
/** The way that is not taken is tried again for this part of the time at the most. */
const trialShare = 1 / 20
/** The mean of the last so many counts: slices that a disk takes at once may have to be waited for later. */
const samples = 8

/**
 * Which way long slices are written to a disk. Where the system must get memory for its cache first, as in many virtual
 * machines, the cache costs several times what the disk does; where the disk is slow and the cache has room, it is the
 * other way round; and either may change meanwhile. So both are timed.
 */
export class WriteWays {
  /** Milliseconds per byte of the last slices. */
  readonly #costs: Readonly<Record<WriteWay, number[]>> = { cached: [], direct: [] }
  #refused = false
  /** What the last trial took, assumed until there was one, and how long the better way took since it began. */
  #trialMs = 1
  #sinceMs = 0

  /** For the next slice. */
  next(): WriteWay {
    if (this.#refused) return 'cached'
    const better = this.#better()
    if (this.#trialMs > trialShare * this.#sinceMs) return better
    this.#sinceMs = 0
    return better === 'cached' ? 'direct' : 'cached'
  }

  /** A slice of so many bytes went that way. */
  took(way: WriteWay, bytes: number, ms: number): void {
    if (way === this.#better()) this.#sinceMs += ms
    else this.#trialMs = ms
    const costs = this.#costs[way]
    costs.push(ms / bytes)
    if (costs.length > samples) costs.shift()
  }

  /** There is no way around the cache here. */
  refuse(): void {
    this.#refused = true
  }

  #better(): WriteWay {
    const { cached, direct } = this.#costs
    return mean(cached) * cachedFasterBy < mean(direct) ? 'cached' : 'direct'
  }
}

/** Not a number when there are none, so that no comparison holds. */
function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0) / numbers.length
}
