import type { SnapshotInfo } from '../../client/index.ts'
import { commonFolder, joinBytes, parentPath, pathKey } from '../byte-path.ts'
import { emptyList, filtered, listKey } from '../folder-list.ts'
import type { FolderEntry } from '../folder-list.ts'
import type { Key } from '../key-parser.ts'
import { clampTo, isKey, isText, moveInList } from '../list-cursor.ts'
import { stay } from '../screen.ts'
import type { KeyHint, Next, Screen, Shared } from '../screen.ts'
import type { News } from '../work.ts'
import type { BrowseState, OpenedSnapshot, Page } from './browse-state.ts'
import { browseView, snapshotText } from './browse-view.ts'
import { onRestoreKey, onRestoreNews, restoreChosen } from './restore.ts'

export const browseScreen: Screen<BrowseState> = {
  title: 'Browse and restore',
  initial: { snapshots: emptyList, marked: undefined, opened: undefined, page: undefined, restore: undefined },
  help: [
    'Snapshots, the newest first. The filter looks at id, host, paths, tags and time: "web1 nightly 2026-03" finds',
    'what has all three. Enter goes into a snapshot and into its folders, v shows the beginning of a text file.',
    'Choose with Space and press r to restore what is chosen, or the line of the cursor, to a folder that you name; on',
    'the list of snapshots r restores all of one. You are asked before a file that is there would be replaced.',
    'm marks a snapshot, d shows what is different between it, or else the one before, and the line of the cursor.',
  ],
  keys,
  onKey,
  onNews,
  isTyping: ({ snapshots, opened, restore }) =>
    restore !== undefined ? restore.step === 'target' : opened === undefined ? snapshots.typing : opened.list.typing,
  view: (own, shared) =>
    browseView(own, shared, { snapshots: shownSnapshots(own, shared), entries: shownEntries(own) }),
}

export function shownSnapshots({ snapshots }: BrowseState, { feed }: Shared): readonly SnapshotInfo[] {
  const backups = (feed.snapshots ?? []).filter(({ manifest }) => manifest.fileName === '')
  return filtered(backups, snapshots.filter, snapshotText)
}

export function shownEntries({ opened }: BrowseState): readonly FolderEntry[] {
  return opened === undefined ? [] : filtered(opened.entries ?? [], opened.list.filter, ({ shown }) => shown)
}

function keys({ snapshots, opened, page, restore }: BrowseState): KeyHint[] {
  if (restore !== undefined) {
    if (restore.step === 'target') return [{ key: 'Enter', does: 'restore there' }]
    if (restore.step === 'running') return [{ key: 'c', does: 'stop it' }]
    return restore.step === 'over' ? [{ key: 'Enter', does: 'close' }] : []
  }
  if (page !== undefined) return [{ key: '↑↓', does: 'scroll' }]
  if ((opened?.list ?? snapshots).typing) return [{ key: 'Enter', does: 'keep the filter' }]
  const filter = { key: '/', does: 'filter' }
  if (opened === undefined) {
    return [
      { key: 'Enter', does: 'open' },
      { key: 'r', does: 'restore' },
      filter,
      { key: 'm', does: 'mark' },
      { key: 'd', does: 'diff' },
    ]
  }
  const chosen = opened.chosen.size
  return [
    { key: 'Enter', does: 'open' },
    { key: '←', does: 'up' },
    { key: 'Space', does: 'choose' },
    { key: 'v', does: 'view' },
    { key: 'r', does: chosen > 0 ? `restore ${chosen}` : 'restore' },
    filter,
  ]
}

function onKey(own: BrowseState, key: Key, shared: Shared): Next<BrowseState> {
  if (own.restore !== undefined) {
    const next = onRestoreKey(own.restore, key, shared)
    return { ...next, own: next.own === own.restore ? own : { ...own, restore: next.own } }
  }
  if (own.page !== undefined) return pageKey(own, own.page, key, shared)
  return own.opened === undefined ? snapshotKey(own, key, shared) : folderKey(own, own.opened, key, shared)
}

function pageKey(own: BrowseState, page: Page, key: Key, { room }: Shared): Next<BrowseState> {
  if (isKey(key, 'escape', 'left', 'backspace', 'enter')) {
    const kind = page.kind === 'preview' ? 'preview' : 'diff'
    return stay({ ...own, page: undefined }, { do: 'cancel', kind })
  }
  const count =
    page.kind === 'diff' ? page.changes?.length : page.preview?.kind === 'text' ? page.preview.lines.length : 0
  const rows = Math.max(1, room.rows - 2)
  const moved = moveInList(key, page.scroll, { count: Math.max(1, (count ?? 0) - rows + 1), rows })
  return moved === undefined ? stay(own) : stay({ ...own, page: { ...page, scroll: moved } })
}

function snapshotKey(own: BrowseState, key: Key, shared: Shared): Next<BrowseState> {
  const shown = shownSnapshots(own, shared)
  const snapshots = listKey(own.snapshots, key, { count: shown.length, rows: shared.room.rows })
  if (snapshots !== undefined) return stay({ ...own, snapshots })
  const at = clampTo(own.snapshots.selected, shown.length)
  const snapshot = shown[at]
  if (snapshot === undefined) return stay(own)
  if (isKey(key, 'enter', 'right')) return openFolder(own, snapshot, commonFolder(snapshot.manifest.paths))
  if (isText(key, 'm') || isText(key, ' ')) {
    return stay({ ...own, marked: own.marked === snapshot.id ? undefined : snapshot.id })
  }
  if (isText(key, 'd')) return compare(own, snapshot, shared)
  if (isText(key, 'r')) {
    const restore = restoreChosen(snapshot, { path: Buffer.from('/'), names: [] }, shared)
    return stay({ ...own, restore })
  }
  return stay(own)
}

function openFolder(own: BrowseState, snapshot: SnapshotInfo, path: Uint8Array): Next<BrowseState> {
  const fresh = { entries: undefined, count: 0, problem: '', list: emptyList, chosen: new Map<string, FolderEntry>() }
  const work = { kind: 'list-entries', snapshot: snapshot.id, path } as const
  return stay({ ...own, opened: { snapshot, path, ...fresh } }, { do: 'start', work })
}

/** With the marked one, or else with the one before of the same host and paths. */
function compare(own: BrowseState, snapshot: SnapshotInfo, { feed }: Shared): Next<BrowseState> {
  const backups = feed.snapshots ?? []
  const older = backups.slice(backups.findIndex(({ id }) => id === snapshot.id) + 1)
  const other = backups.find(({ id }) => id === own.marked) ?? older.find((each) => isSameSource(each, snapshot))
  if (other === undefined || other.id === snapshot.id) {
    return stay(own, { do: 'tell', text: 'There is none before it: mark another one with m.', tone: 'warn' })
  }
  const [before, after] = [other, snapshot].sort((one, two) => one.committedAtMs - two.committedAtMs)
  if (before === undefined || after === undefined) return stay(own)
  const page: Page = {
    ...{ kind: 'diff', before: before.shortId, after: after.shortId, changes: undefined, more: false, scroll: 0 },
  }
  return stay({ ...own, page }, { do: 'start', work: { kind: 'diff', before: before.id, after: after.id } })
}

function isSameSource(one: SnapshotInfo, other: SnapshotInfo): boolean {
  const source = ({ manifest }: SnapshotInfo): string => [manifest.host, ...manifest.paths.map(pathKey)].join('\0')
  return source(one) === source(other)
}

function folderKey(own: BrowseState, opened: OpenedSnapshot, key: Key, shared: Shared): Next<BrowseState> {
  const entries = shownEntries(own)
  const list = listKey(opened.list, key, { count: entries.length, rows: shared.room.rows })
  if (list !== undefined) return stay({ ...own, opened: { ...opened, list } })
  const { snapshot, path } = opened
  if (isKey(key, 'escape')) return stay({ ...own, opened: undefined })
  if (isKey(key, 'left', 'backspace')) {
    return path.length === 1 ? stay({ ...own, opened: undefined }) : openFolder(own, snapshot, parentPath(path))
  }
  const entry = entries[clampTo(opened.list.selected, entries.length)]
  if (entry === undefined) return stay(own)
  const isFolder = entry.type === 'directory'
  if (isKey(key, 'enter', 'right') && isFolder) return openFolder(own, snapshot, joinBytes(path, entry.name))
  if ((isKey(key, 'enter') || isText(key, 'v')) && entry.type === 'file') return preview(own, opened, entry)
  if (isText(key, ' ')) return stay({ ...own, opened: toggled(opened, entry) })
  if (isText(key, 'r')) {
    const names = opened.chosen.size > 0 ? [...opened.chosen.values()] : [entry]
    return stay({ ...own, restore: restoreChosen(snapshot, { path, names: names.map(({ name }) => name) }, shared) })
  }
  return stay(own)
}

function preview(
  own: BrowseState,
  { snapshot, path: folder }: OpenedSnapshot,
  { name }: FolderEntry,
): Next<BrowseState> {
  const path = joinBytes(folder, name)
  const page: Page = { kind: 'preview', path, preview: undefined, scroll: 0 }
  return stay({ ...own, page }, { do: 'start', work: { kind: 'preview', snapshot: snapshot.id, path } })
}

function toggled(opened: OpenedSnapshot, entry: FolderEntry): OpenedSnapshot {
  const chosen = new Map(opened.chosen)
  if (!chosen.delete(pathKey(entry.name))) chosen.set(pathKey(entry.name), entry)
  return { ...opened, chosen, list: { ...opened.list, selected: opened.list.selected + 1 } }
}

function onNews(own: BrowseState, news: News, shared: Shared): Next<BrowseState> {
  const { opened, page } = own
  if (own.restore !== undefined) {
    const next = onRestoreNews(own.restore, news, shared)
    if (next.own !== own.restore || next.effects !== undefined) return { ...next, own: { ...own, restore: next.own } }
  }
  if (news.kind === 'entries' && opened !== undefined && Buffer.compare(news.path, opened.path) === 0) {
    return stay({ ...own, opened: { ...opened, entries: news.entries, count: news.count } })
  }
  if (news.kind === 'previewed' && page?.kind === 'preview')
    return stay({ ...own, page: { ...page, preview: news.preview } })
  if (news.kind === 'compared' && page?.kind === 'diff') {
    return stay({ ...own, page: { ...page, changes: news.changes, more: news.more } })
  }
  if (news.kind !== 'ended' || news.problem === undefined) return stay(own)
  if (news.work.kind === 'list-entries' && opened !== undefined) {
    return stay({ ...own, opened: { ...opened, entries: [], problem: news.problem } })
  }
  const ofPage = news.work.kind === 'preview' || news.work.kind === 'diff'
  return ofPage ? stay({ ...own, page: undefined }, { do: 'tell', text: news.problem, tone: 'bad' }) : stay(own)
}
