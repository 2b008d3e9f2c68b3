import { formatBytes, formatDuration, plural } from '../../core/human-format.ts'
import { safeText } from '../../core/safe-text.ts'
import { cutTextLeft } from '../../core/text-width.ts'
import { emptyLine, line, span, wrapText } from '../lines.ts'
import type { Line } from '../lines.ts'
import { progressLines } from '../progress-lines.ts'
import type { Shared } from '../screen.ts'
import { fieldText } from '../text-field.ts'
import { stepOf } from './restore.ts'
import type { RestoreState } from './restore.ts'

export function restoreLines(own: RestoreState, shared: Shared): Line[] {
  const { room, spinner } = shared
  const head = line(span('Restore ', 'strong'), span(own.what))
  const problem = wrapText(safeText(own.problem), room.columns)
    .filter((text) => text !== '')
    .map((text) => line(span(text, 'bad')))
  switch (stepOf(own, shared)) {
    case 'target':
      return [
        head,
        emptyLine,
        line(span('To the folder: ', 'accent'), span(fieldText(own.target, room.columns - 16))),
        ...problem,
      ]
    case 'checking':
      return [head, emptyLine, line(span(`${spinner} looking at what is there …`, 'dim'))]
    case 'checked':
      return [head, emptyLine, line(span('Nothing was restored. Esc goes back.', 'dim'))]
    case 'running':
      return [head, emptyLine, ...progressLines(own.progress, shared, 'restore'), ...problemLines(own, room.columns)]
    case 'over':
      return [head, emptyLine, ...problem, ...resultLines(own), ...problemLines(own, room.columns)]
  }
}

function resultLines({ summary, stopped }: RestoreState): Line[] {
  if (stopped) return [line(span('Stopped. What was restored so far is whole.', 'warn'))]
  if (summary === undefined) return []
  const { filesRestored, filesSkipped, bytesRestored, durationMs, problems, damaged, unreachable } = summary
  const rate = formatBytes((bytesRestored * 1000) / Math.max(1, durationMs))
  const good = problems === 0
  return [
    line(
      span(
        `${good ? '✓' : '!'} ${plural(filesRestored, 'file')}, ${formatBytes(bytesRestored)}`,
        good ? 'good' : 'warn',
      ),
    ),
    line(span(`  in ${formatDuration(durationMs)}, ${rate}/s`, 'dim')),
    ...(filesSkipped > 0
      ? [line(`  ${plural(filesSkipped, 'file')} left as ${filesSkipped === 1 ? 'it was' : 'they were'}`)]
      : []),
    ...(damaged > 0 ? [line(span(`  ${plural(damaged, 'file')} could not be read from any copy`, 'bad'))] : []),
    ...(unreachable > 0 ? [line(span(`  ${plural(unreachable, 'file')} out of reach: see Cluster`, 'bad'))] : []),
  ]
}

function problemLines({ progress }: RestoreState, columns: number): Line[] {
  return progress.problems
    .slice(-5)
    .map((text) => line(span(`  ! ${cutTextLeft(safeText(text), columns - 4)}`, 'warn')))
}
