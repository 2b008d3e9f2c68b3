import { Box, Text, useApp } from 'ink'
import { createElement, useEffect, useReducer } from 'react'
import type { ReactElement } from 'react'
import type { Clock } from '../core/clock.ts'
import type { FramePainter } from './frame-painter.ts'
import type { PerformWork } from './job-runner.ts'
import type { Line, Tone } from './lines.ts'
import { reduce } from './reduce.ts'
import { initialState, isBusy } from './state.ts'
import type { Beginning } from './state.ts'
import type { TuiTerminal } from './tui-terminal.ts'
import { useJobs } from './use-jobs.ts'
import { useKeyboard } from './use-keyboard.ts'
import { useTicks } from './use-ticks.ts'
import { useWindowSize } from './use-window-size.ts'
import { windowLines } from './window-view.ts'

export interface AppProps {
  readonly terminal: TuiTerminal
  readonly painter: FramePainter
  readonly perform: PerformWork
  readonly clock: Clock
  readonly beginning: Beginning
  /** Aborted when somebody outside wants it to end. */
  readonly signal: AbortSignal
}

/** The whole client: its state, what keeps it going, and its window. */
export function App({ terminal, painter, perform, clock, beginning, signal }: AppProps): ReactElement {
  const [state, dispatch] = useReducer(reduce, beginning, initialState)
  const { exit } = useApp()
  useJobs(state.jobs, perform, dispatch)
  useKeyboard(terminal.input, clock, dispatch)
  useTicks(clock, isBusy(state), dispatch)
  useWindowSize(terminal.output, painter, dispatch)
  useEffect(() => {
    const leave = (): void => dispatch({ type: 'leave' })
    if (signal.aborted) leave()
    signal.addEventListener('abort', leave, { once: true })
    return () => signal.removeEventListener('abort', leave)
  }, [signal])
  const over = state.leaving && state.jobs.length === 0
  useEffect(() => {
    if (over) exit()
  }, [over, exit])
  return createElement(Lines, { lines: windowLines(state), colour: terminal.colour, columns: state.window.columns })
}

interface LinesProps {
  readonly lines: readonly Line[]
  readonly columns: number
  readonly colour: boolean
}

/** Lines of a screen, one below the other. */
export function Lines({ lines, columns, colour }: LinesProps): ReactElement {
  const rows = lines.map((line, at) => createElement(Row, { key: at, line, colour }))
  return createElement(Box, { flexDirection: 'column', width: columns, height: lines.length }, ...rows)
}

function Row({ line, colour }: { line: Line; colour: boolean }): ReactElement {
  const parts = line.map(({ text, tone = 'plain' }, at) =>
    createElement(Text, { key: at, ...(colour ? coloured[tone] : uncoloured[tone]) }, text),
  )
  // An empty line would have no height.
  const content = parts.length === 0 ? ' ' : parts
  return createElement(Box, { height: 1 }, createElement(Text, { wrap: 'truncate' }, content))
}

type Look = Partial<Pick<Parameters<typeof Text>[0], 'color' | 'bold' | 'dimColor'>>

const coloured: Readonly<Record<Tone, Look>> = {
  plain: {},
  strong: { bold: true },
  dim: { color: 'gray' },
  good: { color: 'green' },
  warn: { color: 'yellow' },
  bad: { color: 'red' },
  accent: { color: 'cyan' },
}

const uncoloured: Readonly<Record<Tone, Look>> = {
  plain: {},
  strong: { bold: true },
  dim: {},
  good: {},
  warn: {},
  bad: { bold: true },
  accent: {},
}
