import type { SeededRandom } from '../support/seeded-random.ts'

/** How one direction of all connections behaves, until it is told otherwise. */
export interface LinkState {
  readonly latencyMs: number
  /** Up to so much on top of the latency, drawn for each piece. */
  readonly jitterMs: number
  /** Of each connection; Infinity: as fast as it goes. */
  readonly bytesPerSecond: number
  /**
   * Nothing arrives, neither bytes nor the end of a connection. As with lost packets, which TCP sends again and again,
   * everything that the sender had handed over arrives once this is over, unless somebody lost patience.
   */
  readonly blackhole: boolean
}

export const cleanLink: LinkState = { latencyMs: 0, jitterMs: 0, bytesPerSecond: Infinity, blackhole: false }

/** What is left of a run of bytes. */
export interface Passed {
  readonly bytes: Buffer
  /** The connection is to be reset behind these bytes. */
  readonly cut: boolean
}

/** One direction through a proxy, for all of its connections. */
export class Link {
  readonly #random: SeededRandom
  readonly #listeners = new Set<() => void>()
  #state = cleanLink
  /** Bytes that still pass before something happens once, counted over all connections. */
  #cutAfter: number | undefined
  #flipAfter: number | undefined
  /** Bytes that went through since the beginning. */
  passedBytes = 0
  /** Bytes that were changed on the way, and connections that were cut, since the beginning. */
  flips = 0
  cuts = 0

  constructor(random: SeededRandom) {
    this.#random = random
  }

  get state(): LinkState {
    return this.#state
  }

  /** From now on, also for what is on its way. */
  set(change: Partial<LinkState>): void {
    this.#state = { ...this.#state, ...change }
    for (const listener of this.#listeners) listener()
  }

  /** Cuts the connection that carries the byte which comes after so many others. */
  cutAfter(bytes: number): void {
    this.#cutAfter = bytes
  }

  /** Changes one bit of the byte that comes after so many others. */
  flipAfter(bytes: number): void {
    this.#flipAfter = bytes
  }

  /** As if nothing had ever been done to it; what is armed is forgotten. */
  heal(): void {
    this.#cutAfter = undefined
    this.#flipAfter = undefined
    this.set(cleanLink)
  }

  delayMs(): number {
    const { latencyMs, jitterMs } = this.#state
    return latencyMs + jitterMs * this.#random.fraction()
  }

  /** What is on its way comes within this time. */
  get delayMostMs(): number {
    return this.#state.latencyMs + this.#state.jitterMs
  }

  /** @returns what ends it */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Carries bytes over the link. `bytes` may be changed. */
  pass(bytes: Buffer): Passed {
    this.#flip(bytes)
    const left = this.#cutAfter
    this.#cutAfter = left === undefined || left < bytes.length ? undefined : left - bytes.length
    const cut = left !== undefined && left < bytes.length
    if (cut) this.cuts += 1
    const passed = cut ? bytes.subarray(0, left) : bytes
    this.passedBytes += passed.length
    return { bytes: passed, cut }
  }

  #flip(bytes: Buffer): void {
    const at = this.#flipAfter
    if (at === undefined) return
    if (at >= bytes.length) {
      this.#flipAfter = at - bytes.length
      return
    }
    this.#flipAfter = undefined
    this.flips += 1
    bytes[at] = (bytes[at] ?? 0) ^ (1 << Math.floor(8 * this.#random.fraction()))
  }
}
