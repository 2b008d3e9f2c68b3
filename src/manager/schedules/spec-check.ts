import { TwofoldError } from '../../core/errors.ts'
import * as limits from '../../core/schedule-limits.ts'
import { nextTime, readTiming } from '../../core/schedule-timing.ts'
import type { ScheduleSpec } from '../../core/schedules.ts'

const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/
const hookPattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/

/** @throws TwofoldError `invalid-argument` unless an agent can have this name */
export function requireAgentName(name: string): void {
  if (namePattern.test(name)) return
  throw invalid(`"${name.slice(0, 80)}" is no name for an agent: use 1 to 63 letters, digits, ".", "_" or "-"`)
}

/** @throws TwofoldError `invalid-argument` unless a hook can have this name */
export function requireHookName(name: string): void {
  if (hookPattern.test(name)) return
  throw invalid(
    `"${name.slice(0, 80)}" is no name of a hook: name one that the agent was started with (--hook NAME=COMMAND); ` +
      'commands themselves are never sent',
  )
}

/** The path without repeated and trailing slashes. @throws TwofoldError `invalid-argument` */
export function normalPath(path: Uint8Array): Uint8Array {
  const text = Buffer.from(path).toString('latin1')
  const shown = Buffer.from(path).toString().slice(0, 200)
  if (!text.startsWith('/'))
    throw invalid(`the path must be absolute, not "${shown}": it is one on the agent's machine`)
  if (text.includes('\0')) throw invalid('a path has no NUL in it')
  if (path.length > limits.schedulePathBytesMax) {
    throw invalid(`a path has at most ${limits.schedulePathBytesMax} bytes, not ${path.length}`)
  }
  const parts = text.split('/').filter((part) => part !== '' && part !== '.')
  if (parts.includes('..')) throw invalid(`the path "${shown}" must not go up with ".."; write where it leads to`)
  return new Uint8Array(Buffer.from(`/${parts.join('/')}`, 'latin1'))
}

/** What was asked for, checked, as it is kept. @throws TwofoldError `invalid-argument` */
export function checkedSpec(spec: ScheduleSpec, nowMs: number): ScheduleSpec {
  requireAgentName(spec.agent)
  const plan = readTiming(spec.timing)
  if (nextTime(plan, nowMs, nowMs) === undefined) throw invalid(`the time "${spec.timing.at}" is over for good`)
  const { excludes, tags, hookBefore, hookAfter } = spec
  if (excludes.length > limits.scheduleExcludesMax || tags.length > limits.scheduleTagsMax) {
    throw invalid(
      `a schedule has at most ${limits.scheduleExcludesMax} patterns and ${limits.scheduleTagsMax} tags; ` +
        'put patterns together, for example as *.{tmp,log}',
    )
  }
  const longest = limits.scheduleTextCharactersMax
  if ([...excludes, ...tags].some((text) => text.trim() === '' || text.length > longest)) {
    throw invalid(`a pattern or tag has 1 to ${longest} characters`)
  }
  for (const hook of [hookBefore, hookAfter]) if (hook !== '') requireHookName(hook)
  return { ...spec, path: normalPath(spec.path) }
}

function invalid(message: string): TwofoldError {
  return new TwofoldError('invalid-argument', message)
}
