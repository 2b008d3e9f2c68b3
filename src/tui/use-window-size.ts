import { useEffect } from 'react'
import type { FramePainter } from './frame-painter.ts'
import type { Action } from './state.ts'
import type { TerminalOutput } from './tui-terminal.ts'

/** Follows the size of the window. */
export function useWindowSize(output: TerminalOutput, painter: FramePainter, dispatch: (action: Action) => void): void {
  useEffect(() => {
    const onResize = (): void => {
      painter.invalidate()
      dispatch({ type: 'resized', window: { columns: painter.columns, rows: painter.rows } })
    }
    output.on('resize', onResize)
    return () => void output.off('resize', onResize)
  }, [output, painter, dispatch])
}
