import { cutText } from '../core/text-width.ts'
import { safeText } from '../core/safe-text.ts'
import { isStale } from './feed.ts'
import { emptyLine, fitLine, line, lineWidth, span, spread, wrapText } from './lines.ts'
import type { Line, Span } from './lines.ts'
import { screens } from './screens.ts'
import type { KeyHint, Question, Shared } from './screen.ts'
import { currentScreen, foregroundWork, frameRows, sharedOf } from './state.ts'
import type { State } from './state.ts'

/** Less than this is no window to work in. */
const columnsLeast = 40
const rowsLeast = 10

/** Everything that the window shows: exactly as many lines as it has. */
export function windowLines(state: State): Line[] {
  const { columns, rows } = state.window
  if (columns < columnsLeast || rows < rowsLeast) return tooSmall(state)
  const shared = sharedOf(state)
  const body = bodyLines(state, shared).slice(0, rows - frameRows)
  while (body.length < rows - frameRows) body.push(emptyLine)
  const rule = line(span('─'.repeat(columns), 'dim'))
  const keys = keyLines(state, shared)
  // Keys for which the last line has no room are above it, unless there is something to say.
  const notice = noticeLine(state)
  const above = notice.length > 0 ? notice : keys.more
  return [headLine(state, shared), rule, ...body, above, keys.last].map((each) => fitLine(each, columns))
}

function tooSmall({ window }: State): Line[] {
  const text = `Make the window larger: ${columnsLeast}×${rowsLeast} at least.`
  const lines = wrapText(text, Math.max(1, window.columns)).map((part) => line(part))
  return Array.from({ length: window.rows }, (_, at) => lines[at] ?? emptyLine)
}

function headLine(state: State, shared: Shared): Line {
  const { title } = screens[currentScreen(state)]
  const name = line(span(' Twofold', 'strong'), span(title === '' ? '' : `  ${title}`, 'accent'))
  const manager = cutText(safeText(state.manager), Math.max(10, shared.room.columns - 50))
  return spread(name, [...linkSpans(state, shared), span(`  ${manager} `, 'dim')], shared.room.columns)
}

function linkSpans(state: State, { feed, nowMs, spinner }: Shared): Span[] {
  const { link } = feed
  if (state.leaving) return [span(`${spinner} stopping …`, 'warn')]
  const busy = foregroundWork(state).length > 0 ? [span(`${spinner} `, 'accent')] : []
  if (link.state === 'connecting') return [span(`${spinner} connecting …`, 'warn')]
  if (link.state === 'down') {
    const seconds = Math.max(0, Math.ceil((link.retryAtMs - nowMs) / 1000))
    return [...busy, span(`${spinner} unreachable, again ${seconds === 0 ? 'now' : `in ${seconds} s`}`, 'bad')]
  }
  if (isStale(feed, nowMs)) {
    return [...busy, span(`${spinner} no answer for ${Math.floor((nowMs - link.heardMs) / 1000)} s`, 'warn')]
  }
  return [...busy, span('● connected', 'good')]
}

function bodyLines(state: State, shared: Shared): Line[] {
  const name = currentScreen(state)
  if (state.question !== undefined) return questionLines(state.question, shared)
  if (state.help) return helpLines(state, shared)
  return [...screens[name].view(state.own[name], shared)]
}

function questionLines({ title, text, answers }: Question, { room }: Shared): Line[] {
  const wrapped = text.flatMap((part) => wrapText(part, room.columns - 4))
  const most = Math.max(1, room.rows - answers.length - 4)
  return [
    emptyLine,
    line(span(`  ${title}`, 'strong')),
    ...wrapped.slice(0, most).map((part) => line(span(`  ${part}`))),
    emptyLine,
    ...answers.map(({ key, label }) => line(span(`  ${key}`, 'accent'), span(`  ${label}`))),
  ]
}

const commonHints: readonly KeyHint[] = [
  { key: '?', does: 'help' },
  { key: 'q', does: 'leave' },
]

function helpLines(state: State, shared: Shared): Line[] {
  const name = currentScreen(state)
  const { title, help, keys } = screens[name]
  const hints = [...keys(state.own[name], shared), { key: 'Esc', does: 'back' }, ...commonHints]
  return [
    line(span(` ${title === '' ? 'Home' : title}`, 'strong')),
    ...help.flatMap((text) => wrapText(text, shared.room.columns - 4)).map((text) => line(`  ${text}`)),
    emptyLine,
    ...hints.map(({ key, does }) => line(span(`  ${key.padEnd(12)}`, 'accent'), span(does))),
    emptyLine,
    line(span('  The arrow keys, PgUp, PgDn, Home and End move in lists; so do j and k.', 'dim')),
  ]
}

function noticeLine(state: State): Line {
  const { notice, feed, window } = state
  if (notice !== undefined) return line(span(` ${cutText(safeText(notice.text), window.columns - 2)}`, notice.tone))
  if (feed.link.state !== 'down' || feed.status === undefined) return emptyLine
  return line(span(` ${safeText(feed.link.problem)}`, 'bad'))
}

function keyLines(state: State, shared: Shared): { readonly more: Line; readonly last: Line } {
  const { columns } = shared.room
  if (state.question !== undefined) {
    const hints = state.question.answers.map(({ key, label }) => ({ key, does: label }))
    return { more: [], last: hintLine(fittingHints([{ key: 'Esc', does: 'cancel' }, ...hints], columns)) }
  }
  if (state.help) return { more: [], last: hintLine([{ key: 'any key', does: 'close the help' }]) }
  const name = currentScreen(state)
  const screen = screens[name]
  const own = screen.keys(state.own[name], shared)
  const typing = screen.isTyping?.(state.own[name]) === true
  const backHint = state.trail.length > 1 || typing ? [{ key: 'Esc', does: 'back' }] : []
  const common = typing ? backHint : [...backHint, ...commonHints]
  // What every screen has is never pushed out by what one has; the help has all of that.
  const end = [...hintLine(common), span(' ')]
  const fitting = fittingHints(own, columns - lineWidth(end))
  const more = hintLine(fittingHints(own.slice(fitting.length), columns))
  return { more, last: spread(hintLine(fitting), end, columns) }
}

function fittingHints(hints: readonly KeyHint[], columns: number): KeyHint[] {
  const kept: KeyHint[] = []
  for (const hint of hints) {
    if (lineWidth(hintLine([...kept, hint])) >= columns) break
    kept.push(hint)
  }
  return kept
}

function hintLine(hints: readonly KeyHint[]): Line {
  return hints.flatMap(({ key, does }) => [span(` ${key}`, 'accent'), span(` ${does} `, 'dim')])
}
