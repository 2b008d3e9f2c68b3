import type { ClusterEvent, WatchedEvent } from '../core/cluster-events.ts'
import { linkedController } from '../core/abort.ts'
import type { Clock } from '../core/clock.ts'
import { TwofoldError } from '../core/errors.ts'
import { randomHexId } from '../core/ids.ts'
import { eventsKeptMax, watchAliveMs, watchersMax } from '../core/limits.ts'
import type { Random } from '../core/random.ts'

/**
 * The newest events, in memory. Everybody who watches reads from here at a pace of their own: nothing is kept for
 * anyone, and who falls behind what is kept is told that something is missing.
 */
export class EventFeed {
  readonly #clock: Clock
  /** Numbers mean something in one life only. */
  readonly #life: string
  readonly #events: ClusterEvent[] = []
  /** Number of the newest event. */
  #newest = 0
  #watchers = 0
  #wake = Promise.withResolvers<void>()

  constructor(clock: Clock, random: Random) {
    this.#clock = clock
    this.#life = randomHexId<string>(random)
  }

  add(event: ClusterEvent): void {
    this.#events.push(event)
    this.#newest += 1
    if (this.#events.length > eventsKeptMax) this.#events.shift()
    this.#wake.resolve()
    this.#wake = Promise.withResolvers<void>()
  }

  /**
   * What happens from now on, or since a token was given; a sign of life at once, and whenever nothing has happened
   * for a while. @throws TwofoldError `overloaded`, `invalid-argument`
   */
  async *watch(resumeToken: string, signal?: AbortSignal): AsyncGenerator<WatchedEvent> {
    const asked = this.#positionOf(resumeToken)
    if (this.#watchers >= watchersMax) {
      throw new TwofoldError('overloaded', `${watchersMax} others watch already; try again later`)
    }
    this.#watchers += 1
    try {
      let next = asked ?? this.#oldest
      let gap = asked === undefined
      yield this.#told(undefined, next - 1, gap)
      for (;;) {
        signal?.throwIfAborted()
        gap = next < this.#oldest
        if (gap) next = this.#oldest
        if (next > this.#newest) {
          if (!(await this.#somethingNew(signal))) yield this.#told(undefined, next - 1, false)
          continue
        }
        yield this.#told(this.#events[next - this.#oldest], next, gap)
        next += 1
      }
    } finally {
      this.#watchers -= 1
    }
  }

  get #oldest(): number {
    return this.#newest - this.#events.length + 1
  }

  #told(event: ClusterEvent | undefined, number: number, gap: boolean): WatchedEvent {
    return { event, resumeToken: `${this.#life}.${number}`, gap }
  }

  /** The first number to tell; undefined when what the token says is not known any more. */
  #positionOf(token: string): number | undefined {
    if (token === '') return this.#newest + 1
    const match = /^([0-9a-f]{32})\.(\d{1,15})$/.exec(token)
    if (match === null) {
      throw new TwofoldError('invalid-argument', 'the token to resume at is none; leave it out to begin now')
    }
    const next = Number(match[2]) + 1
    return match[1] === this.#life && next >= this.#oldest && next <= this.#newest + 1 ? next : undefined
  }

  /** @returns false when nothing came for `watchAliveMs`. */
  async #somethingNew(signal: AbortSignal | undefined): Promise<boolean> {
    const { controller, release } = linkedController(signal)
    const come = this.#wake.promise.then(() => true)
    const late = this.#clock.sleep(watchAliveMs, controller.signal).then(() => false)
    try {
      return await Promise.race([come, late])
    } finally {
      release()
      controller.abort(new TwofoldError('cancelled', 'something came'))
      // Its end by the abort is no failure.
      await late.catch(() => undefined)
    }
  }
}
