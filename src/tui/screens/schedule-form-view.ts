import { safePath, safeText } from '../../core/safe-text.ts'
import type { AgentInfo } from '../../core/schedules.ts'
import { textWidth } from '../../core/text-width.ts'
import { emptyLine, line, pad, span, wrapText } from '../lines.ts'
import type { Line } from '../lines.ts'
import type { Shared } from '../screen.ts'
import { fieldText } from '../text-field.ts'
import { formFields, openFields } from './schedule-form.ts'
import type { FormField, ScheduleForm } from './schedule-form.ts'

const labels: Readonly<Record<FormField, string>> = {
  agent: 'Agent',
  path: 'Path',
  when: 'When',
  zone: 'Time zone',
  excludes: 'Leave out',
  tags: 'Tags',
}
const labelColumns = 13

/** The form, with a hint about the field that is typed in, and what is wrong. */
export function scheduleFormLines(
  form: ScheduleForm,
  agents: readonly AgentInfo[],
  { room, running, spinner }: Shared,
): Line[] {
  const busy = running.includes('change-schedule')
  const wrapped = (text: string): string[] => wrapText(text, room.columns - 2)
  const { problem } = form
  return [
    line(span(form.edited === undefined ? ' A new schedule' : ' Change a schedule', 'strong')),
    emptyLine,
    ...formFields.flatMap((field) => fieldLines(form, field, room.columns)),
    emptyLine,
    ...wrapped(hint(form, agents)).map((text) => line(span(` ${text}`, 'dim'))),
    ...(problem === undefined ? [] : wrapped(safeText(problem.text)).map((text) => line(span(` ${text}`, 'bad')))),
    ...(busy ? [line(span(` ${spinner} telling the manager …`, 'accent'))] : []),
  ]
}

function fieldLines(form: ScheduleForm, field: FormField, columns: number): Line[] {
  const { texts, problem } = form
  const typed = form.field === field
  const open = openFields(form).includes(field)
  const room = columns - labelColumns - 1
  const text = typed ? fieldText(texts[field], room) : safeText(texts[field])
  const mark = line(span(typed ? '> ' : '  ', 'accent'), pad(labels[field], labelColumns - 2, open ? 'accent' : 'dim'))
  const shown = line(...mark, span(text, open ? 'plain' : 'dim'))
  if (!typed || problem?.position === undefined) return [shown]
  // Points at what cannot be read, unless its beginning is out of sight.
  const before = textWidth(safeText(texts[field].slice(0, problem.position)))
  const fits = textWidth(safeText(texts[field])) < room
  return fits ? [shown, line(' '.repeat(labelColumns + before), span('^', 'bad'))] : [shown]
}

function hint({ field, texts }: ScheduleForm, agents: readonly AgentInfo[]): string {
  const known = agents.filter((each) => each.known)
  switch (field) {
    case 'agent':
      if (known.length === 0) return 'No agent has registered yet; "twofold agent" runs one.'
      return `The agent on the machine: ${known.map(({ name }) => safeText(name)).join(', ')}.`
    case 'path': {
      const allow = known.find(({ name }) => name === texts.agent.trim())?.allow.map(safePath) ?? []
      const allowed = allow.length === 0 ? '' : ` The agent allows ${allow.join(', ')}.`
      return `A folder or file on the agent's machine, from / on.${allowed}`
    }
    case 'when':
      return 'every 15m, every 1h30m; or times: mon..fri 02:30, daily, *-*-01 04:00, or cron: 30 2 * * 1-5'
    case 'zone':
      return 'Of the times, for example Europe/Berlin or UTC; it does not matter for spans.'
    case 'excludes':
      return 'Patterns with commas between them, for example *.tmp, cache/; may stay empty.'
    case 'tags':
      return 'Of its snapshots, with commas between them; may stay empty.'
  }
}
