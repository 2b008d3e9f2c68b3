/** Time, as a port: nothing reads the clock or sleeps except through it. */
export interface Clock {
  /** Whole milliseconds since the epoch. May jump in either direction: for people and records only. */
  nowMs(): number
  /** Milliseconds since an arbitrary start. Never goes back: the only time that leases and timeouts use. */
  monotonicMs(): number
  /**
   * Resolves after `ms` milliseconds.
   * @throws the signal's reason as soon as `signal` is aborted; the timer is then gone.
   */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  /** Lets other work go first: resolves after pending input and output had their turn. */
  yield(): Promise<void>
}
