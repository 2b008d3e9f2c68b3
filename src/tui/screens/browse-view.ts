import type { SnapshotInfo } from '../../client/index.ts'
import { copiesNow, safetyOf } from '../../core/durability-text.ts'
import { formatBytes, formatCount, formatTime } from '../../core/human-format.ts'
import { isolate, safePath, safeText } from '../../core/safe-text.ts'
import { cutTextLeft } from '../../core/text-width.ts'
import { pathKey, shownBytes } from '../byte-path.ts'
import type { FolderEntry, ListState } from '../folder-list.ts'
import { shortAgo } from '../health.ts'
import { clampTo } from '../list-cursor.ts'
import { emptyLine, line, span } from '../lines.ts'
import type { Line, Tone } from '../lines.ts'
import type { Shared } from '../screen.ts'
import { scrollStart, tableLines } from '../table.ts'
import { fieldText } from '../text-field.ts'
import type { ShownChange } from '../work.ts'
import { entryCells } from './backup-view.ts'
import type { BrowseState, OpenedSnapshot, Page } from './browse-state.ts'
import { safetyTones } from './cluster-view.ts'
import { restoreLines } from './restore-view.ts'

interface Rows {
  readonly snapshots: readonly SnapshotInfo[]
  readonly entries: readonly FolderEntry[]
}

/** What the filter looks at. */
export function snapshotText({ id, manifest, committedAtMs }: SnapshotInfo): string {
  return [id, manifest.host, ...manifest.paths.map(safePath), ...manifest.tags, formatTime(committedAtMs)].join(' ')
}

export function browseView(own: BrowseState, shared: Shared, rows: Rows): Line[] {
  if (own.restore !== undefined) return restoreLines(own.restore, shared)
  if (own.page !== undefined) return pageLines(own.page, shared)
  return own.opened === undefined
    ? snapshotLines(own, shared, rows.snapshots)
    : folderLines(own.opened, shared, rows.entries)
}

function filterLines({ typing, filter }: ListState, columns: number): Line[] {
  if (typing) return [line(span(' Filter: ', 'accent'), span(fieldText(filter, columns - 10)))]
  return filter === '' ? [] : [line(span(` Filter: ${safeText(filter)}`, 'accent'))]
}

function snapshotLines(
  { snapshots: list, marked }: BrowseState,
  shared: Shared,
  shown: readonly SnapshotInfo[],
): Line[] {
  const { feed, room, nowMs, spinner } = shared
  const top = filterLines(list, room.columns)
  if (feed.snapshots === undefined) return [...top, line(span(`${spinner} listing the snapshots …`, 'dim'))]
  if (shown.length === 0) {
    return [...top, line(span(list.filter === '' ? 'There are no backups yet.' : 'Nothing matches.', 'dim'))]
  }
  const rows = Math.max(1, room.rows - 1 - top.length)
  const selected = clampTo(list.selected, shown.length)
  const start = scrollStart({ selected, count: shown.length, rows })
  const table = tableLines({
    columns: [
      { title: '' },
      { title: 'Snapshot' },
      { title: 'Taken', align: 'right' },
      { title: 'Time', dispensable: 3 },
      { title: 'Host' },
      { title: 'Paths', grows: true },
      { title: 'Tags', dispensable: 2 },
      { title: 'Size', align: 'right' },
      { title: 'Copies now' },
    ],
    rows: shown.slice(start, start + rows).map(({ id, shortId, committedAtMs, manifest, durability }, at) => ({
      cells: [
        span(marked === id ? '◆' : ' ', 'accent'),
        span(shortId),
        span(shortAgo(committedAtMs, nowMs)),
        span(formatTime(committedAtMs).slice(0, 16), 'dim'),
        span(isolate(safeText(manifest.host))),
        span(manifest.paths.map(shownBytes).join(' ')),
        span(manifest.tags.map(safeText).join(' '), 'dim'),
        span(formatBytes(manifest.stats.totalBytes)),
        span(copiesNow(durability), safetyTones[safetyOf(durability)]),
      ],
      selected: start + at === selected,
    })),
    width: room.columns,
  })
  return [...top, ...table]
}

function folderLines(opened: OpenedSnapshot, { room, spinner }: Shared, entries: readonly FolderEntry[]): Line[] {
  const { snapshot, path, list, chosen, problem, count } = opened
  const head = line(
    span(`${snapshot.shortId} `, 'accent'),
    span(cutTextLeft(shownBytes(path), room.columns - 10), 'strong'),
  )
  const top = [head, ...filterLines(list, room.columns)]
  if (problem !== '') return [...top, line(span(safeText(problem), 'bad'))]
  if (opened.entries === undefined) return [...top, line(span(`${spinner} reading the folder …`, 'dim'))]
  if (entries.length === 0)
    return [...top, line(span(list.filter === '' ? '  Nothing is in it.' : '  Nothing matches.', 'dim'))]
  const more = count > opened.entries.length
  const rows = Math.max(1, room.rows - 1 - top.length - (more ? 1 : 0))
  const selected = clampTo(list.selected, entries.length)
  const start = scrollStart({ selected, count: entries.length, rows })
  const table = tableLines({
    columns: [{ title: '' }, { title: 'Name', grows: true }, { title: 'Size', align: 'right' }, { title: 'Changed' }],
    rows: entries.slice(start, start + rows).map((entry, at) => ({
      cells: entryCells(entry, chosen.has(pathKey(entry.name))),
      selected: start + at === selected,
    })),
    width: room.columns,
  })
  return [...top, ...table, ...(more ? [line(span(`  … ${formatCount(count)} in all`, 'dim'))] : [])]
}

function pageLines(page: Page, shared: Shared): Line[] {
  return page.kind === 'preview' ? previewLines(page, shared) : diffLines(page, shared)
}

type PreviewPage = Extract<Page, { kind: 'preview' }>
type DiffPage = Extract<Page, { kind: 'diff' }>

function previewLines({ path, preview, scroll }: PreviewPage, { room, spinner }: Shared): Line[] {
  const head = line(span(cutTextLeft(shownBytes(path), room.columns), 'strong'))
  if (preview === undefined) return [head, emptyLine, line(span(`${spinner} reading the file …`, 'dim'))]
  if (preview.kind === 'binary') return [head, emptyLine, line(span('It is no text. Restore it to look at it.', 'dim'))]
  const rows = Math.max(1, room.rows - 2)
  const end = preview.cut ? [line(span('… and so on: this is its beginning', 'dim'))] : [line(span('(end)', 'dim'))]
  return [head, emptyLine, ...[...preview.lines.map((text) => line(text)), ...end].slice(scroll, scroll + rows)]
}

const changeTones: Readonly<Record<ShownChange['change'], Tone>> = {
  '+': 'good',
  '-': 'bad',
  M: 'warn',
  U: 'dim',
  T: 'warn',
}

function diffLines({ before, after, changes, more, scroll }: DiffPage, { room, spinner }: Shared): Line[] {
  const head = line(
    span(`${before} → ${after}`, 'strong'),
    span('   + added  - removed  M changed  U metadata  T type', 'dim'),
  )
  if (changes === undefined) return [head, emptyLine, line(span(`${spinner} comparing …`, 'dim'))]
  if (changes.length === 0) return [head, emptyLine, line('They hold the same.')]
  const count = `${more ? 'the first ' : ''}${formatCount(changes.length)} changes`
  const rows = Math.max(1, room.rows - 2)
  const width = Math.max(10, room.columns - 4)
  return [
    head,
    line(span(count, 'dim')),
    ...changes
      .slice(scroll, scroll + rows)
      .map(({ change, path }) => line(span(` ${change} `, changeTones[change]), span(cutTextLeft(path, width)))),
  ]
}
