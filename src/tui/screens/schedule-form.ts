import { isTwofoldError } from '../../core/errors.ts'
import { safeText } from '../../core/safe-text.ts'
import { readTiming } from '../../core/schedule-timing.ts'
import type { Schedule, ScheduleSpec, ScheduleTiming } from '../../core/schedules.ts'
import type { Key } from '../key-parser.ts'
import { isKey } from '../list-cursor.ts'
import { editText } from '../text-field.ts'

export const formFields = ['agent', 'path', 'when', 'zone', 'excludes', 'tags'] as const
export type FormField = (typeof formFields)[number]

/** What is asked about a schedule, all on one page. */
export interface ScheduleForm {
  /** The one that is changed: its agent and path stay. Undefined for a new one. */
  readonly edited: Schedule | undefined
  /** The field that is typed in. */
  readonly field: FormField
  readonly texts: Readonly<Record<FormField, string>>
  readonly problem: FormProblem | undefined
}

export interface FormProblem {
  readonly text: string
  /** Where in the text of the field, in characters from 0; undefined when it is about all of it, or none. */
  readonly position: number | undefined
}

/** What a key makes of the form. `spec` is there when it is to be kept. */
export interface FormStep {
  readonly form: ScheduleForm
  readonly spec?: ScheduleSpec
}

export function newForm(timeZone: string): ScheduleForm {
  const texts = { agent: '', path: '', when: '', zone: timeZone, excludes: '', tags: '' }
  return { edited: undefined, field: 'agent', texts, problem: undefined }
}

export function formOf(edited: Schedule, timeZone: string): ScheduleForm {
  return { edited, field: 'when', texts: textsOf(edited.spec, timeZone), problem: undefined }
}

function textsOf({ agent, path, timing, excludes, tags }: ScheduleSpec, timeZone: string): ScheduleForm['texts'] {
  return {
    agent,
    path: Buffer.from(path).toString(),
    when: timing.every === '' ? timing.at : `every ${timing.every}`,
    zone: timing.every === '' ? timing.timeZone || 'UTC' : timeZone,
    excludes: excludes.join(', '),
    tags: tags.join(', '),
  }
}

/** The fields that can be typed in. */
export function openFields({ edited }: ScheduleForm): readonly FormField[] {
  return edited === undefined ? formFields : formFields.slice(2)
}

export function formKey(form: ScheduleForm, key: Key): FormStep {
  if (isKey(key, 'tab', 'down')) return { form: moved(form, 1) }
  if (isKey(key, 'up')) return { form: moved(form, -1) }
  if (isKey(key, 'ctrl-s')) return checkedForm(form)
  if (isKey(key, 'enter')) {
    const problem = fieldProblem(form, form.field)
    if (problem !== undefined) return { form: { ...form, problem } }
    return form.field === openFields(form).at(-1) ? checkedForm(form) : { form: moved(form, 1) }
  }
  const text = editText(form.texts[form.field], key)
  if (text === undefined) return { form }
  return { form: { ...form, texts: { ...form.texts, [form.field]: text }, problem: undefined } }
}

function moved(form: ScheduleForm, by: 1 | -1): ScheduleForm {
  const fields = openFields(form)
  const at = (fields.indexOf(form.field) + by + fields.length) % fields.length
  return { ...form, field: fields[at] ?? form.field, problem: undefined }
}

/** Goes to the first field with something wrong; there is a spec when nothing is. */
function checkedForm(form: ScheduleForm): FormStep {
  for (const field of openFields(form)) {
    const problem = fieldProblem(form, field)
    if (problem !== undefined) return { form: { ...form, field, problem } }
  }
  return { form, spec: specOf(form) }
}

export function fieldProblem({ texts }: Pick<ScheduleForm, 'texts'>, field: FormField): FormProblem | undefined {
  const about = (text: string): FormProblem => ({ text, position: undefined })
  switch (field) {
    case 'agent':
      return texts.agent.trim() === ''
        ? about('Whose folder? Type the name that the agent was started with.')
        : undefined
    case 'path':
      if (texts.path.startsWith('/')) return undefined
      return about(`The path begins with a slash, not "${safeText(texts.path)}": it is one on the agent's machine.`)
    case 'when':
      return timingProblem(texts.when, { ...timingOf(texts.when, ''), timeZone: '' })
    case 'zone': {
      const timing = timingOf(texts.when, texts.zone)
      const readable = timing.every === '' && timingProblem(texts.when, { ...timing, timeZone: '' }) === undefined
      return readable ? timingProblem(texts.when, timing) : undefined
    }
    case 'excludes':
    case 'tags':
      return undefined
  }
}

function timingProblem(text: string, timing: ScheduleTiming): FormProblem | undefined {
  if (text.trim() === '') return { text: 'When? For example every 15m, or mon..fri 02:30.', position: undefined }
  try {
    readTiming(timing)
    return undefined
  } catch (error) {
    if (!isTwofoldError(error)) throw error
    const position = error.fields['position']
    const read = timing.every === '' ? timing.at : timing.every
    // What was read may be the end of what was typed.
    const offset = text.length - text.trimStart().length + text.trim().length - read.length
    return { text: error.message, position: position === undefined ? undefined : offset + Number(position) }
  }
}

/** `15m` and `every 15m` are spans; anything else is a calendar expression or cron's. */
export function timingOf(text: string, zone: string): ScheduleTiming {
  const trimmed = text.trim()
  const every = /^every\s+(\S.*)$/i.exec(trimmed)?.[1] ?? (/^\d+[a-z]/i.test(trimmed) ? trimmed : '')
  return every === '' ? { every, at: trimmed, timeZone: zone.trim() } : { every, at: '', timeZone: '' }
}

function listOf(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
}

function specOf({ edited, texts }: ScheduleForm): ScheduleSpec {
  const timing = timingOf(texts.when, texts.zone)
  if (edited === undefined) {
    return {
      ...{ agent: texts.agent.trim(), path: new Uint8Array(Buffer.from(texts.path)), timing, vault: '' },
      ...{ excludes: listOf(texts.excludes), tags: listOf(texts.tags), excludeCaches: false, oneFileSystem: false },
      ...{ keep: { counts: {}, within: {}, tags: [] }, hookBefore: '', hookAfter: '' },
    }
  }
  // What was not touched stays as it is, also where a text cannot say all of it.
  const { spec } = edited
  const before = textsOf(spec, texts.zone)
  const sameTime = texts.when === before.when && (timing.every !== '' || texts.zone === before.zone)
  return {
    ...spec,
    timing: sameTime ? spec.timing : timing,
    excludes: texts.excludes === before.excludes ? spec.excludes : listOf(texts.excludes),
    tags: texts.tags === before.tags ? spec.tags : listOf(texts.tags),
  }
}
