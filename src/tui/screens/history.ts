import { formatDuration, formatTime } from '../../core/human-format.ts'
import type { Operation } from '../../core/model.ts'
import { isolate, safeText } from '../../core/safe-text.ts'
import { emptyList, filtered, listKey } from '../folder-list.ts'
import type { ListState } from '../folder-list.ts'
import type { Key } from '../key-parser.ts'
import { clampTo, isKey, isText } from '../list-cursor.ts'
import { emptyLine, line, pad, span, wrapText } from '../lines.ts'
import type { Line, Tone } from '../lines.ts'
import { stay } from '../screen.ts'
import type { KeyHint, Next, Screen, Shared } from '../screen.ts'
import { scrollStart, tableLines } from '../table.ts'
import { fieldText } from '../text-field.ts'
import type { News } from '../work.ts'

export interface HistoryState {
  /** The newest first; undefined until they are there. */
  readonly operations: readonly Operation[] | undefined
  readonly problem: string
  readonly list: ListState
  /** Number of the one whose details are shown. */
  readonly details: number | undefined
}

export const historyScreen: Screen<HistoryState> = {
  title: 'History',
  initial: { operations: undefined, problem: '', list: emptyList, details: undefined },
  help: [
    'Everything that was done to the cluster, the newest first, each with a number that is never given twice.',
    'The filter looks at number, kind, result, who, what and time: "backup failed" finds what has both.',
  ],
  keys,
  onOpen: (own) => stay(own, { do: 'start', work: { kind: 'list-history' } }),
  onKey,
  onNews,
  isTyping: ({ list }) => list.typing,
  view,
}

function keys({ list, details }: HistoryState): KeyHint[] {
  if (details !== undefined) return [{ key: '↑↓', does: 'next' }]
  if (list.typing) return [{ key: 'Enter', does: 'keep the filter' }]
  return [
    { key: 'Enter', does: 'details' },
    { key: '/', does: 'filter' },
    { key: 'r', does: 'ask again' },
  ]
}

function textOf({ number, kind, timeMs, actor, subject, result, detail, snapshotId }: Operation): string {
  return [number, kind, formatTime(timeMs), actor, subject, result, detail, snapshotId].join(' ')
}

function shown({ operations, list }: HistoryState): readonly Operation[] {
  return filtered(operations ?? [], list.filter, textOf)
}

function onKey(own: HistoryState, key: Key, { room }: Shared): Next<HistoryState> {
  const operations = shown(own)
  if (own.details !== undefined && isKey(key, 'escape', 'left', 'backspace', 'enter')) {
    return stay({ ...own, details: undefined })
  }
  const list = listKey(own.list, key, { count: operations.length, rows: room.rows })
  if (list !== undefined) {
    const details = own.details === undefined ? undefined : operations[list.selected]?.number
    return stay({ ...own, list, details })
  }
  if (isText(key, 'r')) return stay(own, { do: 'start', work: { kind: 'list-history' } })
  if (!isKey(key, 'enter', 'right')) return stay(own)
  return stay({ ...own, details: operations[clampTo(own.list.selected, operations.length)]?.number })
}

function onNews(own: HistoryState, news: News): Next<HistoryState> {
  if (news.kind === 'history') return stay({ ...own, operations: news.operations, problem: '' })
  if (news.kind !== 'ended' || news.work.kind !== 'list-history' || news.problem === undefined) return stay(own)
  return stay({ ...own, problem: news.problem })
}

const resultTones: Readonly<Record<Operation['result'], Tone>> = { ok: 'good', failed: 'bad', abandoned: 'warn' }

function view(own: HistoryState, { room, spinner }: Shared): Line[] {
  const { operations, list, problem, details } = own
  const chosen = operations?.find(({ number }) => number === details)
  if (chosen !== undefined) return detailLines(chosen, room.columns)
  const top = [
    ...(list.typing ? [line(span(' Filter: ', 'accent'), span(fieldText(list.filter, room.columns - 10)))] : []),
    ...(!list.typing && list.filter !== '' ? [line(span(` Filter: ${safeText(list.filter)}`, 'accent'))] : []),
    ...(problem === '' ? [] : [line(span(safeText(problem), 'bad'))]),
  ]
  if (operations === undefined)
    return problem === '' ? [...top, line(span(`${spinner} asking for the history …`, 'dim'))] : top
  const found = shown(own)
  if (found.length === 0)
    return [...top, line(span(list.filter === '' ? 'Nothing was done yet.' : 'Nothing matches.', 'dim'))]
  const rows = Math.max(1, room.rows - 1 - top.length)
  const selected = clampTo(list.selected, found.length)
  const start = scrollStart({ selected, count: found.length, rows })
  return [
    ...top,
    ...tableLines({
      columns: [
        { title: 'Number', align: 'right' },
        { title: 'Time' },
        { title: 'Kind' },
        { title: 'Result' },
        { title: 'Took', align: 'right', dispensable: 2 },
        { title: 'Who', dispensable: 1 },
        { title: 'What', grows: true },
      ],
      rows: found.slice(start, start + rows).map((operation, at) => ({
        cells: [
          span(String(operation.number)),
          span(formatTime(operation.timeMs), 'dim'),
          span(safeText(operation.kind)),
          span(operation.result, resultTones[operation.result]),
          span(formatDuration(operation.durationMs)),
          span(isolate(safeText(operation.actor)), 'dim'),
          span(isolate(safeText([operation.subject, operation.detail].filter((text) => text !== '').join(': ')))),
        ],
        selected: start + at === selected,
      })),
      width: room.columns,
    }),
  ]
}

function detailLines(operation: Operation, columns: number): Line[] {
  const facts: readonly (readonly [string, string, Tone?])[] = [
    ['Number', String(operation.number)],
    ['Kind', operation.kind],
    ['When', formatTime(operation.timeMs)],
    ['Took', formatDuration(operation.durationMs)],
    ['Who', operation.actor],
    ['What', operation.subject],
    ['Result', operation.result, resultTones[operation.result]],
    ['Details', operation.detail],
    ['Snapshot', operation.snapshotId],
  ]
  const indent = 12
  return [
    emptyLine,
    ...facts
      .filter(([, text]) => text !== '')
      .flatMap(([name, text, tone]) =>
        wrapText(safeText(text), columns - indent).map((part, at) =>
          line(pad(at === 0 ? ` ${name}` : '', indent, 'dim'), span(part, tone)),
        ),
      ),
  ]
}
