import type { Clock } from '../../src/core/clock.ts'
import type { SimScheduler } from './sim-scheduler.ts'

/**
 * One life of a simulated process. Whatever it waits for comes through `alive`: once it is dead nothing is ever
 * delivered to it again, so its code stops where it stood, as after SIGKILL.
 */
export class SimProcess {
  readonly name: string
  readonly #scheduler: SimScheduler
  readonly #wallShiftMs: () => number
  readonly #deaths = new Set<() => void>()
  #dead = false
  #pausedUntilMs = 0
  /** What waits for the end of a pause, the oldest first. */
  readonly #held: (() => void)[] = []

  /** @param wallShiftMs by how much the wall clock of its machine is wrong at the moment */
  constructor(name: string, scheduler: SimScheduler, wallShiftMs: () => number = () => 0) {
    this.name = name
    this.#scheduler = scheduler
    this.#wallShiftMs = wallShiftMs
  }

  get dead(): boolean {
    return this.#dead
  }

  kill(): void {
    this.#dead = true
    for (const tell of [...this.#deaths]) tell()
    this.#deaths.clear()
  }

  /** Nothing is delivered to it for so long, as after SIGSTOP; then everything is. */
  pause(ms: number): void {
    if (this.#pausedUntilMs <= this.#scheduler.nowMs) this.#pausedUntilMs = this.#scheduler.nowMs + ms
  }

  /** Everything that was held back is delivered now. */
  resume(): void {
    this.#pausedUntilMs = 0
    for (const deliver of this.#held.splice(0)) deliver()
  }

  /** Calls `tell` when the process dies. @returns how to call it off. */
  onDeath(tell: () => void): () => void {
    this.#deaths.add(tell)
    return () => void this.#deaths.delete(tell)
  }

  /** `work`, unless the process is dead by then; not before it goes on if it is paused. */
  alive<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      work.then(
        (value) => this.#deliver(() => resolve(value)),
        (error: Error) => this.#deliver(() => reject(error)),
      )
    })
  }

  #deliver(take: () => void): void {
    if (this.#dead) return
    const waitMs = this.#pausedUntilMs - this.#scheduler.nowMs
    if (waitMs <= 0) return take()
    if (this.#held.length === 0) this.#scheduler.after(waitMs, () => this.resume())
    this.#held.push(() => this.#deliver(take))
  }

  /** The process's clock. `driftMs` shifts its wall clock. */
  clock(driftMs = 0): Clock {
    const scheduler = this.#scheduler
    return {
      nowMs: () => 1_800_000_000_000 + driftMs + this.#wallShiftMs() + Math.floor(scheduler.nowMs),
      monotonicMs: () => scheduler.nowMs,
      sleep: (ms, signal) => this.alive(sleep(scheduler, ms, signal)),
      yield: () => this.alive(scheduler.delay(0)),
    }
  }
}

async function sleep(scheduler: SimScheduler, ms: number, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted()
  await new Promise<void>((resolve, reject) => {
    const cancel = scheduler.after(ms, () => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    })
    const onAbort = (): void => {
      cancel()
      reject(signal?.reason as Error)
    }
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}
