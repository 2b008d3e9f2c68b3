import type { BackupSummary, PackEvent } from '../../client/index.ts'
import { copiesText } from '../../core/durability-text.ts'
import { formatBytes, formatCount, formatDuration, plural } from '../../core/human-format.ts'
import { isolate, safeText } from '../../core/safe-text.ts'
import { cutTextLeft } from '../../core/text-width.ts'
import { joinBytes, pathKey, shownBytes } from '../byte-path.ts'
import type { FolderEntry, ListState } from '../folder-list.ts'
import { clampTo } from '../list-cursor.ts'
import { emptyLine, line, pad, span, spread, wrapText } from '../lines.ts'
import type { Line } from '../lines.ts'
import { progressLines } from '../progress-lines.ts'
import type { RunProgress } from '../run-progress.ts'
import type { Shared } from '../screen.ts'
import { scrollStart, tableLines } from '../table.ts'
import { fieldText } from '../text-field.ts'

interface Choosing {
  readonly path: Uint8Array | undefined
  readonly entries: readonly FolderEntry[] | undefined
  readonly count: number
  readonly list: ListState
  readonly name: { readonly text: string; readonly problem: string } | undefined
  readonly chosen: ReadonlyMap<string, { readonly type: FolderEntry['type']; readonly size: number }>
}

export function choosingLines(own: Choosing, shared: Shared, entries: readonly FolderEntry[]): Line[] {
  const { room, spinner, root } = shared
  const path = own.path ?? root
  const head = spread(
    line(span(cutTextLeft(shownBytes(path), Math.max(10, room.columns - 34)), 'strong')),
    chosenText(own.chosen),
    room.columns,
  )
  const field = fieldLines(own, room.columns)
  if (own.entries === undefined) return [head, ...field, line(span(`${spinner} reading the folder …`, 'dim'))]
  if (entries.length === 0) {
    return [head, ...field, line(span(own.list.filter === '' ? '  Nothing is in it.' : '  Nothing matches.', 'dim'))]
  }
  const more = own.count > own.entries.length
  const rows = Math.max(1, room.rows - 2 - field.length - (more ? 1 : 0))
  const selected = clampTo(own.list.selected, entries.length)
  const start = scrollStart({ selected, count: entries.length, rows })
  return [
    head,
    ...field,
    ...tableLines({
      columns: [{ title: '' }, { title: 'Name', grows: true }, { title: 'Size', align: 'right' }, { title: 'Changed' }],
      rows: entries.slice(start, start + rows).map((entry, at) => ({
        cells: entryCells(entry, own.chosen.has(pathKey(joinBytes(path, entry.name)))),
        selected: start + at === selected,
      })),
      width: room.columns,
    }),
    ...(more ? [line(span(`  … ${formatCount(own.count)} in all: filter, or type a name`, 'dim'))] : []),
  ]
}

function chosenText(chosen: Choosing['chosen']): Line {
  if (chosen.size === 0) return []
  const all = [...chosen.values()]
  const folders = all.filter(({ type }) => type === 'directory').length
  const bytes = all.reduce((sum, { type, size }) => sum + (type === 'file' ? size : 0), 0)
  const files = all.length - folders
  const parts = [
    folders > 0 ? plural(folders, 'folder') : '',
    files > 0 ? `${plural(files, 'file')} of ${formatBytes(bytes)}` : '',
  ]
  return line(span(`${parts.filter((part) => part !== '').join(', ')} chosen `, 'accent'))
}

function fieldLines({ list, name }: Choosing, columns: number): Line[] {
  if (name !== undefined) {
    const field = line(span(' Name or path: ', 'accent'), span(fieldText(name.text, columns - 17)))
    return name.problem === '' ? [field] : [field, line(span(` ${name.problem}`, 'bad'))]
  }
  if (list.typing) return [line(span(' Filter: ', 'accent'), span(fieldText(list.filter, columns - 10)))]
  return list.filter === '' ? [] : [line(span(` Filter: ${safeText(list.filter)}`, 'accent'))]
}

const typeMarks: Readonly<Record<FolderEntry['type'], string>> = { directory: '/', symlink: '@', file: '', other: '!' }

export function entryCells(entry: FolderEntry, chosen: boolean): Line {
  const { type, shown, size, mtimeMs } = entry
  return [
    span(chosen ? '[x]' : '[ ]', chosen ? 'good' : 'dim'),
    span(`${shown}${typeMarks[type]}`, type === 'directory' ? 'accent' : type === 'other' ? 'dim' : 'plain'),
    span(type === 'directory' ? '' : formatBytes(size)),
    span(new Date(mtimeMs).toISOString().slice(0, 10), 'dim'),
  ]
}

interface ShownRun {
  readonly paths: readonly Uint8Array[]
  readonly progress: RunProgress
  readonly outcome:
    | { readonly kind: 'done'; readonly summary: BackupSummary }
    | { readonly kind: 'failed'; readonly problem: string }
    | { readonly kind: 'stopped' }
    | undefined
}

export function runLines(run: ShownRun, shared: Shared): Line[] {
  const { room } = shared
  const what = cutTextLeft(run.paths.map(shownBytes).join(', '), Math.max(10, room.columns - 14))
  const head = line(span(run.outcome === undefined ? 'Backing up ' : 'Backup of ', 'strong'), span(what))
  const top = [head, ...outcomeLines(run, shared)]
  const problems = problemLines(run.progress, room.columns)
  const rows = Math.max(0, room.rows - top.length - problems.length - 2)
  return [...top, ...problems, ...packLines(run.progress, { rows, width: room.columns })]
}

function outcomeLines({ outcome, progress }: ShownRun, shared: Shared): Line[] {
  const { columns } = shared.room
  if (outcome === undefined) {
    const ending = shared.ending.includes('backup')
    const under = ending ? line(span('  stopping: what is finished is being kept …', 'warn')) : emptyLine
    return [...progressLines(progress, shared, 'backup'), under]
  }
  if (outcome.kind === 'stopped') {
    return [
      line(span('Stopped. There is no snapshot; what was finished is kept for the next backup.', 'warn')),
      emptyLine,
    ]
  }
  if (outcome.kind === 'failed') {
    const failed = wrapText(safeText(outcome.problem), columns).map((text) => line(span(text, 'bad')))
    return [
      ...failed,
      line(span('There is no snapshot of it. What was finished is kept for the next backup.')),
      emptyLine,
    ]
  }
  return [...summaryLines(outcome.summary), emptyLine]
}

function summaryLines({ snapshot, stats, durationMs, packs, problems }: BackupSummary): Line[] {
  const fact = (name: string, text: string): Line => line(pad(`  ${name}`, 12, 'dim'), span(text))
  const [added, changed, same] = [stats.filesNew, stats.filesChanged, stats.filesUnmodified].map(formatCount)
  const files = `${added} new, ${changed} changed, ${same} unchanged`
  const old = Math.max(0, stats.totalBytes - stats.newBytes)
  const rate = formatBytes((stats.totalBytes * 1000) / Math.max(1, durationMs))
  const durability = snapshot?.durability
  const full = durability !== undefined && durability.copies >= durability.copiesWanted
  return [
    line(
      span(`✓ snapshot ${snapshot?.shortId ?? ''}  `, full ? 'good' : 'warn'),
      span(
        durability === undefined
          ? ''
          : `${copiesText(durability)} fsynced copies on ${plural(durability.failureDomains, 'failure domain')}`,
      ),
    ),
    fact('Files', files),
    fact('Bytes', `${formatBytes(stats.totalBytes)}: ${formatBytes(stats.newBytes)} new, ${formatBytes(old)} known`),
    fact('Stored', `${formatBytes(stats.storedBytes)} in ${plural(packs.length, 'pack')}, each on all its nodes`),
    fact('Took', `${formatDuration(durationMs)}, ${rate}/s`),
    ...(problems > 0 ? [line(span(`  ${plural(problems, 'file')} could not be saved as they were`, 'bad'))] : []),
  ]
}

function problemLines({ problems }: RunProgress, columns: number): Line[] {
  return problems.slice(-3).map((text) => line(span(`  ! ${cutTextLeft(safeText(text), columns - 4)}`, 'warn')))
}

const packTones = { sending: 'accent', durable: 'good', retry: 'warn' } as const

function packLines({ packs, packsDurable }: RunProgress, { rows, width }: { rows: number; width: number }): Line[] {
  if (packs.length === 0 || rows < 2) return []
  const shown = packs.toReversed().slice(0, rows)
  const nodes = ({ replicas }: PackEvent): string => replicas.map((name) => isolate(safeText(name))).join(', ')
  const table = tableLines({
    columns: [
      { title: `Pack (${formatCount(packsDurable)} durable)` },
      { title: 'Size', align: 'right' },
      { title: 'Primary' },
      { title: '' },
      { title: 'Replica' },
      { title: 'State', grows: true },
    ],
    rows: shown.map((pack) => ({
      cells: [
        span(pack.packId.slice(0, 12)),
        span(formatBytes(pack.lengthBytes)),
        span(isolate(safeText(pack.primary))),
        span('→', 'dim'),
        span(nodes(pack)),
        span(
          pack.problem === undefined ? pack.state : `${pack.state}: ${safeText(pack.problem)}`,
          packTones[pack.state],
        ),
      ],
    })),
    width,
  })
  return table
}
