import type { Feed } from './feed.ts'
import { emptyFeed } from './feed.ts'
import type { Key } from './key-parser.ts'
import type { Room, Tone } from './lines.ts'
import { screens } from './screens.ts'
import { screenNames } from './screen.ts'
import type { Question, ScreenName, Shared } from './screen.ts'
import type { Job, News, Work, WorkKind } from './work.ts'

export interface State {
  readonly window: Room
  readonly nowMs: number
  /** Counts the pictures of the spinner. */
  readonly turn: number
  readonly feed: Feed
  readonly jobs: readonly Job[]
  readonly lastJobId: number
  /** The screen that is seen is the last one; Esc goes back to the one before. */
  readonly trail: readonly ScreenName[]
  readonly help: boolean
  readonly question: Question | undefined
  readonly notice: Notice | undefined
  /** Waits for what is under way to end, and is then gone. */
  readonly leaving: boolean
  /** The states of the screens. */
  readonly own: Readonly<Record<ScreenName, unknown>>
  /** Where the manager is said to be. */
  readonly manager: string
  readonly root: Uint8Array
  /** Of this machine: an IANA name. */
  readonly timeZone: string
}

export interface Notice {
  readonly text: string
  readonly tone: Tone
  readonly untilMs: number
}

export type Action =
  | { readonly type: 'key'; readonly key: Key }
  | { readonly type: 'resized'; readonly window: Room }
  | { readonly type: 'tick'; readonly nowMs: number }
  | { readonly type: 'news'; readonly job: number; readonly news: News }
  /** Somebody outside wants it to end: a signal, a closed terminal. */
  | { readonly type: 'leave' }

export interface Beginning {
  readonly window: Room
  readonly nowMs: number
  readonly manager: string
  readonly root: Uint8Array
  readonly timeZone: string
}

export function initialState(beginning: Beginning): State {
  const follow: Job = { id: 1, work: { kind: 'follow-cluster' }, startedMs: beginning.nowMs, cancelled: false }
  const own = Object.fromEntries(screenNames.map((name) => [name, screens[name].initial]))
  return {
    ...beginning,
    turn: 0,
    feed: emptyFeed,
    jobs: [follow],
    lastJobId: follow.id,
    trail: ['home'],
    help: false,
    question: undefined,
    notice: undefined,
    leaving: false,
    own: own as Record<ScreenName, unknown>,
  }
}

export function currentScreen({ trail }: State): ScreenName {
  return trail.at(-1) ?? 'home'
}

/** Lines around what a screen shows: title and rule above it, remark and keys below. */
export const frameRows = 4

const spinnerPictures = '⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏'

export function spinnerOf({ turn }: Pick<State, 'turn'>): string {
  return spinnerPictures[turn % spinnerPictures.length] ?? ''
}

export function sharedOf(state: State): Shared {
  const { window, nowMs, feed, jobs, root, timeZone } = state
  return {
    room: { columns: window.columns, rows: Math.max(1, window.rows - frameRows) },
    nowMs,
    feed,
    seen: currentScreen(state),
    running: jobs.map(({ work }) => work.kind),
    ending: jobs.filter(({ cancelled }) => cancelled).map(({ work }) => work.kind),
    root,
    timeZone,
    spinner: spinnerOf(state),
  }
}

/** Work whose end somebody waits for: not what goes on all the time. */
export function foregroundWork({ jobs }: Pick<State, 'jobs'>): WorkKind[] {
  const isQuiet = (work: Work): boolean =>
    work.kind === 'follow-cluster' || (work.kind === 'list-schedules' && work.quiet)
  return jobs.filter(({ work }) => !isQuiet(work)).map(({ work }) => work.kind)
}

/** Whether something turns: then it is drawn more often. */
export function isBusy(state: State): boolean {
  return foregroundWork(state).length > 0 || state.feed.link.state !== 'up' || state.leaving
}
