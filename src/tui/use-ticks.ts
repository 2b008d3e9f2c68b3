import { useEffect } from 'react'
import type { Clock } from '../core/clock.ts'
import { tuiSpinnerMs, tuiTickMs } from '../core/client-limits.ts'
import type { Action } from './state.ts'

/** Lets time pass on the screen: seconds, and pictures of the spinner while something turns. */
export function useTicks(clock: Clock, busy: boolean, dispatch: (action: Action) => void): void {
  useEffect(() => {
    const stop = new AbortController()
    void tick(clock, { ms: busy ? tuiSpinnerMs : tuiTickMs, signal: stop.signal, dispatch })
    return () => stop.abort()
  }, [clock, busy, dispatch])
}

interface Ticking {
  readonly ms: number
  readonly signal: AbortSignal
  readonly dispatch: (action: Action) => void
}

async function tick(clock: Clock, { ms, signal, dispatch }: Ticking): Promise<void> {
  for (;;) {
    try {
      await clock.sleep(ms, signal)
    } catch (error) {
      if (signal.aborted) return
      throw error
    }
    dispatch({ type: 'tick', nowMs: clock.nowMs() })
  }
}
