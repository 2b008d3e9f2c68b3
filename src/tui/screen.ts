import type { Feed } from './feed.ts'
import type { Key } from './key-parser.ts'
import type { Line, Room, Tone } from './lines.ts'
import type { News, Work, WorkKind } from './work.ts'

export const screenNames = ['home', 'backup', 'browse', 'files', 'history', 'cluster', 'schedules', 'doctor'] as const
export type ScreenName = (typeof screenNames)[number]

/** What every screen sees besides its own state. */
export interface Shared {
  /** What there is of the window for it. */
  readonly room: Room
  readonly nowMs: number
  readonly feed: Feed
  /** The screen that somebody looks at. */
  readonly seen: ScreenName
  /** Kinds of work that are under way. */
  readonly running: readonly WorkKind[]
  /** Those of them that were asked to end, and have not yet. */
  readonly ending: readonly WorkKind[]
  /** The folder that files are chosen from, and its name as it is shown. */
  readonly root: Uint8Array
  /** Of this machine: an IANA name. */
  readonly timeZone: string
  readonly spinner: string
}

/** A question that must be answered before anything else. */
export interface Question {
  readonly title: string
  readonly text: readonly string[]
  readonly answers: readonly Answer[]
}

export interface Answer {
  /** The character that chooses it. */
  readonly key: string
  readonly label: string
  readonly effects: readonly Effect[]
}

/** What a screen wants to happen. */
export type Effect =
  /** Takes the place of work of the same kind. */
  | { readonly do: 'start'; readonly work: Work }
  | { readonly do: 'cancel'; readonly kind: WorkKind }
  | { readonly do: 'ask'; readonly question: Question }
  | { readonly do: 'tell'; readonly text: string; readonly tone?: Tone }
  | { readonly do: 'go'; readonly to: ScreenName }
  | { readonly do: 'back' }
  | { readonly do: 'leave' }

/** A screen's state after something happened. */
export interface Next<S> {
  readonly own: S
  readonly effects?: readonly Effect[]
}

export interface KeyHint {
  readonly key: string
  readonly does: string
}

/** A screen: a state of its own, what keys and news do to it, and how it looks. All of it is pure. */
export interface Screen<S> {
  readonly title: string
  readonly initial: S
  /** What the help says about it, beside the keys. */
  readonly help: readonly string[]
  readonly keys: (own: S, shared: Shared) => readonly KeyHint[]
  readonly onKey: (own: S, key: Key, shared: Shared) => Next<S>
  /** When somebody comes to it. */
  readonly onOpen?: (own: S, shared: Shared) => Next<S>
  readonly onNews?: (own: S, news: News, shared: Shared) => Next<S>
  /** Whether a text is being typed: then every character belongs to it. */
  readonly isTyping?: (own: S) => boolean
  /** At most `shared.room.rows` lines are shown. */
  readonly view: (own: S, shared: Shared) => readonly Line[]
}

/** A screen among others, whose states are kept together. */
export type AnyScreen = Screen<unknown>

export function asAny<S>(screen: Screen<S>): AnyScreen {
  return screen as unknown as AnyScreen
}

export function stay<S>(own: S, ...effects: readonly Effect[]): Next<S> {
  return effects.length === 0 ? { own } : { own, effects }
}

/** A question with yes and no. */
export function yesOrNo(
  title: string,
  text: readonly string[],
  yes: { label: string; effects: readonly Effect[] },
): Effect {
  const answers = [
    { key: 'y', ...yes },
    { key: 'n', label: 'no', effects: [] },
  ]
  return { do: 'ask', question: { title, text, answers } }
}
