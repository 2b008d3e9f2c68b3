import type { FileVersionInfo } from '../../client/index.ts'
import { formatBytes, formatTime } from '../../core/human-format.ts'
import { isolate, safeText } from '../../core/safe-text.ts'
import type { ListState } from '../folder-list.ts'
import { clampTo } from '../list-cursor.ts'
import { emptyLine, line, span, wrapText } from '../lines.ts'
import type { Line, Span } from '../lines.ts'
import type { Shared } from '../screen.ts'
import { scrollStart, tableLines } from '../table.ts'
import type { Column } from '../table.ts'
import { fieldText } from '../text-field.ts'

interface Shown {
  readonly files: readonly FileVersionInfo[] | undefined
  readonly more: boolean
  readonly problem: string
  readonly list: ListState
  readonly versions:
    | { readonly name: string; readonly items: readonly FileVersionInfo[] | undefined; readonly list: ListState }
    | undefined
  readonly form: ShownForm | undefined
}

interface ShownForm {
  readonly step: 'path' | 'name' | 'save'
  readonly text: string
  readonly name: string | undefined
  readonly version: number
  readonly problem: string
}

export function filesView(own: Shown, shared: Shared, files: readonly FileVersionInfo[]): Line[] {
  if (own.form !== undefined) return formLines(own.form, shared)
  return own.versions === undefined ? listLines(own, shared, files) : versionLines(own.versions, shared)
}

function formLines({ step, text, name, version, problem }: ShownForm, { room, running, spinner }: Shared): Line[] {
  const titles = {
    path: name === undefined ? 'Store a file' : `A new version of ${safeText(name)}`,
    name: 'Store a file',
    save: `Write version ${version} of ${safeText(name ?? '')} to a file here`,
  }
  const label = { path: 'File on this machine: ', name: 'Its name in the vault: ', save: 'File to write: ' }[step]
  const busy = running.includes('change-file')
  return [
    line(span(titles[step], 'strong')),
    emptyLine,
    line(span(label, 'accent'), span(fieldText(text, room.columns - label.length - 1))),
    ...(busy ? [line(span(`${spinner} working …`, 'dim'))] : []),
    ...wrapText(safeText(problem), room.columns).map((part) => line(span(part, 'bad'))),
  ]
}

const right = 'right' as const
const columns: readonly Column[] = [
  { title: 'Name', grows: true },
  { title: 'Version', align: right },
  { title: 'Size', align: right },
  { title: 'Time' },
  { title: 'Copies', align: right },
]

function cells({ name, version, deleted, lengthBytes, createdAtMs, copies }: FileVersionInfo): Span[] {
  return [
    span(isolate(safeText(name)), deleted ? 'dim' : 'plain'),
    span(String(version)),
    deleted ? span('deleted', 'warn') : span(formatBytes(lengthBytes)),
    span(formatTime(createdAtMs), 'dim'),
    span(deleted ? '' : String(copies)),
  ]
}

function listLines(
  { files, more, problem, list }: Shown,
  { room, spinner }: Shared,
  shown: readonly FileVersionInfo[],
): Line[] {
  const top = [
    ...(list.typing ? [line(span(' Filter: ', 'accent'), span(fieldText(list.filter, room.columns - 10)))] : []),
    ...(!list.typing && list.filter !== '' ? [line(span(` Filter: ${safeText(list.filter)}`, 'accent'))] : []),
    ...(problem === '' ? [] : wrapText(safeText(problem), room.columns).map((text) => line(span(text, 'bad')))),
  ]
  if (files === undefined) return problem === '' ? [...top, line(span(`${spinner} listing the files …`, 'dim'))] : top
  if (shown.length === 0) {
    return [...top, line(span(list.filter === '' ? 'No file is stored yet: u stores one.' : 'Nothing matches.', 'dim'))]
  }
  const rows = Math.max(1, room.rows - 1 - top.length - (more ? 1 : 0))
  const end = more ? [line(span('  … there are more: twofold files ls PREFIX', 'dim'))] : []
  return [...top, ...table(shown, list, { rows, width: room.columns }), ...end]
}

function table(
  items: readonly FileVersionInfo[],
  list: ListState,
  { rows, width }: { rows: number; width: number },
): Line[] {
  const selected = clampTo(list.selected, items.length)
  const start = scrollStart({ selected, count: items.length, rows })
  const part = items.slice(start, start + rows)
  return tableLines({
    columns,
    width,
    rows: part.map((item, at) => ({ cells: cells(item), selected: start + at === selected })),
  })
}

function versionLines({ name, items, list }: NonNullable<Shown['versions']>, { room, spinner }: Shared): Line[] {
  const head = line(span('Versions of ', 'strong'), span(isolate(safeText(name)), 'strong'))
  if (items === undefined) return [head, emptyLine, line(span(`${spinner} …`, 'dim'))]
  return [head, emptyLine, ...table(items, list, { rows: Math.max(1, room.rows - 3), width: room.columns })]
}
