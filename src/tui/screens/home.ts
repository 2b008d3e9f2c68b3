import { safeText } from '../../core/safe-text.ts'
import { concerns, healthLines, scheduleConcerns } from '../health.ts'
import { clampTo, isKey, moveInList } from '../list-cursor.ts'
import { emptyLine, line, pad, span, wrapText } from '../lines.ts'
import type { Line } from '../lines.ts'
import { stay } from '../screen.ts'
import type { Next, Screen, ScreenName, Shared } from '../screen.ts'
import type { Key } from '../key-parser.ts'

export interface HomeState {
  readonly selected: number
}

interface Entry {
  readonly to: ScreenName
  readonly name: string
  readonly about: string
}

const menu: readonly Entry[] = [
  { to: 'backup', name: 'Back up', about: 'save files and folders of this machine as a snapshot' },
  { to: 'browse', name: 'Browse and restore', about: 'snapshots, what is in them, and back to disk' },
  { to: 'files', name: 'Files', about: 'single files by name, with all their versions' },
  { to: 'history', name: 'History', about: 'everything that was done, by whom, with its result' },
  { to: 'cluster', name: 'Cluster', about: 'nodes, repairs, copies and events, live' },
  { to: 'schedules', name: 'Schedules', about: 'what agents back up by themselves, and whether they do' },
  { to: 'doctor', name: 'Doctor', about: 'what is wrong, and what to do about it' },
]

export const homeScreen: Screen<HomeState> = {
  title: '',
  initial: { selected: 0 },
  help: [
    'The line on top is how the cluster is now; below it stands what needs attention, if anything does.',
    'A number opens its line of the menu at once.',
  ],
  keys: () => [
    { key: '↑↓', does: 'choose' },
    { key: 'Enter', does: 'open' },
    { key: `1-${menu.length}`, does: 'open at once' },
  ],
  onKey,
  view,
}

function onKey(own: HomeState, key: Key, { room }: Shared): Next<HomeState> {
  const moved = moveInList(key, own.selected, { count: menu.length, rows: room.rows })
  if (moved !== undefined) return stay({ selected: moved })
  if (isKey(key, 'enter', 'right')) return open(own.selected)
  if (key.kind === 'text' && /^[1-9]$/.test(key.text) && Number(key.text) <= menu.length) {
    return open(Number(key.text) - 1)
  }
  return stay(own)
}

function open(at: number): Next<HomeState> {
  const selected = clampTo(at, menu.length)
  const entry = menu[selected]
  return stay({ selected }, ...(entry === undefined ? [] : [{ do: 'go', to: entry.to } as const]))
}

function view({ selected }: HomeState, shared: Shared): Line[] {
  return [
    ...stateLines(shared),
    emptyLine,
    ...menu.map(({ name, about }, at) =>
      line(
        span(at === selected ? '> ' : '  ', 'accent'),
        span(`${at + 1}  `, 'dim'),
        pad(name, 20, at === selected ? 'strong' : 'plain'),
        span(about, 'dim'),
      ),
    ),
  ]
}

function stateLines({ feed, nowMs, room, spinner }: Shared): Line[] {
  const { status, link } = feed
  if (status === undefined) {
    if (link.state !== 'down') return [line(span(`${spinner} asking the manager how the cluster is …`, 'dim'))]
    return wrapText(safeText(link.problem), room.columns).map((text) => line(span(text, 'bad')))
  }
  const told = [...concerns(status), ...scheduleConcerns(feed.schedules)].flatMap((text) =>
    wrapText(safeText(text), room.columns - 2),
  )
  const health = healthLines(status, nowMs, room.columns)
  const most = Math.max(0, room.rows - menu.length - 2 - health.length)
  return [...health, ...told.slice(0, most).map((text) => line(span(`  ${text}`, 'warn')))]
}
