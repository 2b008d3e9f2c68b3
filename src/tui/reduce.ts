import { tuiNoticeMs } from '../core/client-limits.ts'
import { feedWith } from './feed.ts'
import type { Key } from './key-parser.ts'
import { isKey, isText } from './list-cursor.ts'
import { screens } from './screens.ts'
import { screenNames } from './screen.ts'
import type { Effect, Next, ScreenName } from './screen.ts'
import { currentScreen, foregroundWork, sharedOf } from './state.ts'
import type { Action, State } from './state.ts'
import type { Job, News, Work } from './work.ts'

/** The next state. Pure: what is to be done is in `jobs`, and somebody else does it. */
export function reduce(state: State, action: Action): State {
  switch (action.type) {
    case 'key':
      return withKey(state, action.key)
    case 'resized':
      return { ...state, window: action.window }
    case 'tick':
      return withTick(state, action.nowMs)
    case 'news':
      return withNews(state, action.job, action.news)
    case 'leave':
      return leave(state)
  }
}

function withTick(state: State, nowMs: number): State {
  const notice = state.notice !== undefined && nowMs >= state.notice.untilMs ? undefined : state.notice
  return { ...state, nowMs, notice, turn: state.turn + 1 }
}

function withKey(state: State, key: Key): State {
  if (state.leaving) return isKey(key, 'ctrl-c') ? { ...state, jobs: [] } : state
  if (isKey(key, 'ctrl-c')) return state.question === undefined ? askToLeave(state) : leave(state)
  if (state.question !== undefined) return answer(state, key)
  const name = currentScreen(state)
  const screen = screens[name]
  const own = state.own[name]
  if (state.help) return { ...state, help: false }
  const typing = screen.isTyping?.(own) === true
  if (!typing) {
    if (isText(key, 'q')) return askToLeave(state)
    if (isText(key, '?')) return { ...state, help: true }
  }
  const next = screen.onKey(own, key, sharedOf(state))
  const untouched = next.own === own && next.effects === undefined
  if (untouched && !typing && isKey(key, 'escape', 'left', 'backspace')) return back(state)
  return withNext(state, name, next)
}

function answer(state: State, key: Key): State {
  const { question } = state
  const closed = { ...state, question: undefined }
  if (isKey(key, 'escape')) return closed
  const chosen = question?.answers.find((each) => key.kind === 'text' && key.text.toLowerCase() === each.key)
  return chosen === undefined ? state : applyEffects(closed, chosen.effects)
}

function withNews(state: State, jobId: number, news: News): State {
  const job = state.jobs.find(({ id }) => id === jobId)
  if (job === undefined) return state
  const ended = news.kind === 'ended'
  const jobs = ended ? state.jobs.filter(({ id }) => id !== jobId) : state.jobs
  let next: State = { ...state, jobs, feed: feedWith(state.feed, news, state.nowMs) }
  // Work that was replaced by newer work of its kind has nothing to say any more.
  const replaced = state.jobs.some(({ id, work }) => id > jobId && work.kind === job.work.kind)
  if (replaced) return next
  for (const name of screenNames) {
    const onNews = screens[name].onNews
    if (onNews !== undefined) next = withNext(next, name, onNews(next.own[name], news, sharedOf(next)))
  }
  return next
}

function withNext(state: State, name: ScreenName, { own, effects = [] }: Next<unknown>): State {
  const kept = own === state.own[name] ? state : { ...state, own: { ...state.own, [name]: own } }
  return applyEffects(kept, effects)
}

function applyEffects(state: State, effects: readonly Effect[]): State {
  return effects.reduce(applyEffect, state)
}

function applyEffect(state: State, effect: Effect): State {
  switch (effect.do) {
    case 'start':
      return start(state, effect.work)
    case 'cancel':
      return { ...state, jobs: state.jobs.map((job) => cancelled(job, effect.kind)) }
    case 'ask':
      return { ...state, question: effect.question }
    case 'tell': {
      const { text, tone = 'plain' } = effect
      return { ...state, notice: { text, tone, untilMs: state.nowMs + tuiNoticeMs } }
    }
    case 'go':
      return open(state, effect.to)
    case 'back':
      return back(state)
    case 'leave':
      return leave(state)
  }
}

function start(state: State, work: Work): State {
  const job: Job = { id: state.lastJobId + 1, work, startedMs: state.nowMs, cancelled: false }
  return { ...state, lastJobId: job.id, jobs: [...state.jobs.map((other) => cancelled(other, work.kind)), job] }
}

function cancelled(job: Job, kind: Work['kind']): Job {
  return job.work.kind === kind ? { ...job, cancelled: true } : job
}

function open(state: State, to: ScreenName): State {
  if (currentScreen(state) === to) return state
  const opened = { ...state, trail: [...state.trail.filter((name) => name !== to), to], notice: undefined }
  const onOpen = screens[to].onOpen
  return onOpen === undefined ? opened : withNext(opened, to, onOpen(opened.own[to], sharedOf(opened)))
}

function back(state: State): State {
  return state.trail.length > 1 ? { ...state, trail: state.trail.slice(0, -1), notice: undefined } : state
}

/** What would be lost is asked about. */
function askToLeave(state: State): State {
  const lost = foregroundWork(state).filter((kind) => matters.has(kind))
  if (lost.length === 0) return leave(state)
  const answers = [
    { key: 'y', label: 'yes, stop it and leave', effects: [{ do: 'leave' }] as const },
    { key: 'n', label: 'no', effects: [] },
  ]
  const text = ['Something is still under way. What it has finished is kept; nothing is left half done.']
  return { ...state, question: { title: 'Stop and leave?', text, answers } }
}

/** Work that somebody would miss. */
const matters: ReadonlySet<Work['kind']> = new Set<Work['kind']>([
  'backup',
  'restore',
  'change-file',
  'change-schedule',
])

function leave(state: State): State {
  return { ...state, leaving: true, question: undefined, jobs: state.jobs.map((job) => ({ ...job, cancelled: true })) }
}
