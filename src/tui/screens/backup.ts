import { posix } from 'node:path'
import type { BackupSummary } from '../../client/index.ts'
import { isWithin } from '../../core/within-folder.ts'
import { joinBytes, lastName, parentPath, pathKey, shownBytes } from '../byte-path.ts'
import { emptyList, filtered, listKey } from '../folder-list.ts'
import type { FolderEntry, ListState } from '../folder-list.ts'
import type { Key } from '../key-parser.ts'
import { clampTo, isKey, isText } from '../list-cursor.ts'
import { stay, yesOrNo } from '../screen.ts'
import type { KeyHint, Next, Screen, Shared } from '../screen.ts'
import { editText } from '../text-field.ts'
import type { News } from '../work.ts'
import { noProgress, withProgress } from '../run-progress.ts'
import type { RunProgress } from '../run-progress.ts'
import { choosingLines, runLines } from './backup-view.ts'

/** Something that is to be backed up. */
export interface Chosen {
  readonly path: Uint8Array
  readonly type: FolderEntry['type']
  readonly size: number
}

export interface BackupState {
  /** The folder that is listed; undefined before the first time. */
  readonly path: Uint8Array | undefined
  /** Undefined while it is being listed. */
  readonly entries: readonly FolderEntry[] | undefined
  /** How many the folder has: not all of very many are listed. */
  readonly count: number
  readonly list: ListState
  /** A name that is being typed. */
  readonly name: { readonly text: string; readonly problem: string } | undefined
  readonly chosen: ReadonlyMap<string, Chosen>
  readonly run: BackupRun | undefined
}

export interface BackupRun {
  readonly paths: readonly Uint8Array[]
  readonly progress: RunProgress
  readonly outcome: BackupOutcome | undefined
}

export type BackupOutcome =
  | { readonly kind: 'done'; readonly summary: BackupSummary }
  | { readonly kind: 'failed'; readonly problem: string }
  | { readonly kind: 'stopped' }

const initial: BackupState = {
  path: undefined,
  entries: undefined,
  count: 0,
  list: emptyList,
  name: undefined,
  chosen: new Map(),
  run: undefined,
}

export const backupScreen: Screen<BackupState> = {
  title: 'Back up',
  initial,
  help: [
    'Choose files and folders with Space, then press b: they become one snapshot. With nothing chosen, b is about the',
    'line that the cursor is on. A name or path can be typed with n, wherever it is.',
    'While it runs you may go elsewhere with Esc. Each pack shows the node that gets it first, and who has its copy.',
    'A backup that is stopped makes no snapshot; what it had finished is kept, and the next one goes on from there.',
  ],
  keys,
  onOpen,
  onKey,
  onNews,
  isTyping: ({ list, name, run }) => run === undefined && (list.typing || name !== undefined),
  view: (own, shared) =>
    own.run === undefined ? choosingLines(own, shared, shownEntries(own)) : runLines(own.run, shared),
}

export function shownEntries({ entries, list }: BackupState): readonly FolderEntry[] {
  return filtered(entries ?? [], list.filter, ({ shown }) => shown)
}

function keys(own: BackupState, { root }: Shared): KeyHint[] {
  const { run, list, name, chosen, path } = own
  if (run !== undefined) {
    return run.outcome === undefined ? [{ key: 'c', does: 'stop it' }] : [{ key: 'Enter', does: 'another one' }]
  }
  if (name !== undefined) return [{ key: 'Enter', does: 'choose it' }]
  if (list.typing) return [{ key: 'Enter', does: 'keep the filter' }]
  const inside = path !== undefined && !isSame(path, root)
  return [
    { key: 'Space', does: 'choose' },
    { key: 'b', does: chosen.size > 0 ? `back up ${chosen.size}` : 'back up this' },
    { key: 'Enter', does: 'open' },
    { key: '/', does: 'filter' },
    { key: 'n', does: 'name' },
    { key: 'a', does: 'all' },
    ...(inside ? [{ key: '←', does: 'up' }] : []),
  ]
}

function onOpen(own: BackupState, { root }: Shared): Next<BackupState> {
  return listFolder(own, own.path ?? root)
}

function listFolder(own: BackupState, path: Uint8Array): Next<BackupState> {
  const sameAsBefore = own.path !== undefined && isSame(own.path, path)
  const entries = sameAsBefore ? own.entries : undefined
  const list = sameAsBefore ? own.list : emptyList
  return stay({ ...own, path, entries, list }, { do: 'start', work: { kind: 'list-folder', path } })
}

function onKey(own: BackupState, key: Key, shared: Shared): Next<BackupState> {
  if (own.run !== undefined) return runKey(own, own.run, key, shared)
  if (own.name !== undefined) return nameKey(own, own.name, key)
  const entries = shownEntries(own)
  const list = listKey(own.list, key, { count: entries.length, rows: shared.room.rows })
  if (list !== undefined) return stay({ ...own, list })
  const entry = entries[clampTo(own.list.selected, entries.length)]
  const path = own.path ?? shared.root
  if (isText(key, ' ') && entry !== undefined) return stay(toggled(own, path, entry))
  if (isText(key, 'a')) return stay(allOrNone(own, path, entries))
  if (isText(key, 'n')) return stay({ ...own, name: { text: '', problem: '' } })
  if (isText(key, 'b')) return begin(own, path, entry)
  if (isKey(key, 'enter', 'right') && entry?.type === 'directory') return listFolder(own, joinBytes(path, entry.name))
  const mayGoUp = !isSame(path, shared.root) && isWithin(path, shared.root)
  if (isKey(key, 'left', 'backspace') && mayGoUp) return listFolder(own, parentPath(path))
  return stay(own)
}

function toggled(own: BackupState, folder: Uint8Array, entry: FolderEntry): BackupState {
  const path = joinBytes(folder, entry.name)
  const chosen = new Map(own.chosen)
  if (!chosen.delete(pathKey(path))) chosen.set(pathKey(path), { path, type: entry.type, size: entry.size })
  return { ...own, chosen, list: { ...own.list, selected: own.list.selected + 1 } }
}

function allOrNone(own: BackupState, folder: Uint8Array, entries: readonly FolderEntry[]): BackupState {
  const chosen = new Map(own.chosen)
  const paths = entries.map((entry) => ({ entry, path: joinBytes(folder, entry.name) }))
  const all = paths.every(({ path }) => chosen.has(pathKey(path)))
  for (const { entry, path } of paths) {
    if (all) chosen.delete(pathKey(path))
    else chosen.set(pathKey(path), { path, type: entry.type, size: entry.size })
  }
  return { ...own, chosen }
}

function nameKey(own: BackupState, name: { text: string }, key: Key): Next<BackupState> {
  if (isKey(key, 'escape')) return stay({ ...own, name: undefined })
  const text = editText(name.text, key)
  if (text !== undefined) return stay({ ...own, name: { text, problem: '' } })
  if (!isKey(key, 'enter') || name.text.trim() === '') return stay(own)
  const path = resolveName(own.path ?? Buffer.from('/'), name.text)
  return stay(own, { do: 'start', work: { kind: 'find-path', path } })
}

/** A typed name from a folder on, or an absolute path. */
export function resolveName(folder: Uint8Array, text: string): Uint8Array {
  const typed = Buffer.from(text).toString('latin1')
  const path = posix.resolve(Buffer.from(folder).toString('latin1'), typed)
  return Buffer.from(path, 'latin1')
}

function begin(own: BackupState, folder: Uint8Array, entry: FolderEntry | undefined): Next<BackupState> {
  const one = entry === undefined ? [] : [joinBytes(folder, entry.name)]
  const paths = own.chosen.size > 0 ? [...own.chosen.values()].map(({ path }) => path) : one
  if (paths.length === 0) return stay(own, { do: 'tell', text: 'There is nothing here to back up.', tone: 'warn' })
  const run: BackupRun = { paths, progress: noProgress, outcome: undefined }
  return stay({ ...own, run }, { do: 'start', work: { kind: 'backup', paths } })
}

function runKey(own: BackupState, run: BackupRun, key: Key, { ending }: Shared): Next<BackupState> {
  if (run.outcome !== undefined) {
    if (!isKey(key, 'enter', 'escape')) return stay(own)
    const chosen = run.outcome.kind === 'done' ? new Map<string, Chosen>() : own.chosen
    return stay({ ...own, run: undefined, chosen })
  }
  if (!isText(key, 'c') || ending.includes('backup')) return stay(own)
  const text = [
    'There will be no snapshot. What was finished is kept, and the next backup of the same goes on from it.',
  ]
  return stay(
    own,
    yesOrNo('Stop this backup?', text, { label: 'yes, stop it', effects: [{ do: 'cancel', kind: 'backup' }] }),
  )
}

function onNews(own: BackupState, news: News, shared: Shared): Next<BackupState> {
  switch (news.kind) {
    case 'folder':
      if (own.path === undefined || !isSame(own.path, news.path)) return stay(own)
      return stay({ ...own, entries: news.entries, count: news.count })
    case 'path-found':
      return stay(withFound(own, news, shared))
    case 'progress':
      if (own.run === undefined || news.of !== 'backup') return stay(own)
      return stay({ ...own, run: { ...own.run, progress: withProgress(own.run.progress, news.event) } })
    case 'backed-up':
      return stay(withOutcome(own, { kind: 'done', summary: news.summary }))
    case 'ended':
      return stay(withEnd(own, news))
    default:
      return stay(own)
  }
}

function withFound(
  own: BackupState,
  { path, entry }: Extract<News, { kind: 'path-found' }>,
  { root }: Shared,
): BackupState {
  if (own.name === undefined) return own
  if (entry === undefined) {
    return { ...own, name: { ...own.name, problem: `There is no ${shownBytes(path)}: type another name.` } }
  }
  const chosen = new Map(own.chosen).set(pathKey(path), { path, type: entry.type, size: entry.size })
  const here = own.path ?? root
  const at = isSame(parentPath(path), here)
    ? (own.entries ?? []).findIndex(({ name }) => Buffer.from(name).equals(lastName(path)))
    : -1
  return { ...own, chosen, name: undefined, list: at === -1 ? own.list : { ...emptyList, selected: at } }
}

function withEnd(own: BackupState, { work, problem, cancelled }: Extract<News, { kind: 'ended' }>): BackupState {
  if (work.kind === 'list-folder' && problem !== undefined) return { ...own, entries: [], count: 0 }
  if (work.kind === 'find-path' && problem !== undefined && own.name !== undefined) {
    return { ...own, name: { ...own.name, problem } }
  }
  if (work.kind !== 'backup' || own.run?.outcome !== undefined) return own
  if (cancelled) return withOutcome(own, { kind: 'stopped' })
  return problem === undefined ? own : withOutcome(own, { kind: 'failed', problem })
}

function withOutcome(own: BackupState, outcome: BackupOutcome): BackupState {
  return own.run === undefined ? own : { ...own, run: { ...own.run, outcome } }
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0
}
