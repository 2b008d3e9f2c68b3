import { useEffect } from 'react'
import type { Clock } from '../core/clock.ts'
import { listenToKeyboard } from './keyboard.ts'
import type { Action } from './state.ts'
import type { TerminalInput } from './tui-terminal.ts'

/** Turns keys into actions. */
export function useKeyboard(input: TerminalInput, clock: Clock, dispatch: (action: Action) => void): void {
  useEffect(
    () =>
      listenToKeyboard(input, clock, {
        onKey: (key) => dispatch({ type: 'key', key }),
        onClosed: () => dispatch({ type: 'leave' }),
      }),
    [input, clock, dispatch],
  )
}
