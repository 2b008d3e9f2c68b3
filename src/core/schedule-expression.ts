import { TwofoldError } from './errors.ts'

/** A part of an expression, and where it is. */
export interface Word {
  readonly text: string
  /** Of its first character, from 0. */
  readonly at: number
}

/** The words of an expression, in lower case. */
export function wordsOf(expression: string): Word[] {
  return [...expression.matchAll(/\S+/g)].map(({ 0: text, index }) => ({ text: text.toLowerCase(), at: index }))
}

/** The parts of a word between separators; their places stay known. */
export function split(word: Word, separator: string): Word[] {
  const parts: Word[] = []
  let at = word.at
  for (const text of word.text.split(separator)) {
    parts.push({ text, at })
    at += text.length + separator.length
  }
  return parts
}

/** Says what cannot be read and where, for people (from 1) and in the field `position` (from 0). */
export function misread(expression: string, word: Word, expected: string): TwofoldError {
  const shown = (text: string): string => JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text)
  const what = word.text === '' ? 'something is missing' : `${shown(word.text)} cannot be read`
  return new TwofoldError(
    'invalid-argument',
    `in the time ${shown(expression)}, at character ${word.at + 1}: ${what}; ${expected}`,
    { fields: { position: String(word.at), length: String(word.text.length) } },
  )
}

export interface NumberRange {
  readonly what: string
  readonly least: number
  readonly most: number
  /** Names for numbers, from `least` on. */
  readonly names?: readonly string[]
}

/**
 * The numbers of a list such as `*`, `5`, `8..17`, `0/15`, `1,15` or `mon..fri`, sorted. A range may also be written
 * with a hyphen where `hyphens` allows it, and go over the end where names are used: `sat..mon`.
 * @throws TwofoldError `invalid-argument`
 */
export function readNumbers(
  expression: string,
  word: Word,
  range: NumberRange,
  { hyphens }: { hyphens: boolean } = { hyphens: false },
): number[] {
  const found = new Set<number>()
  for (const item of split(word, ',')) {
    const [span = item, step, extra] = split(item, '/')
    if (extra !== undefined) throw misread(expression, extra, `a step is written once, as in ${range.least}/15`)
    const every = step === undefined ? 1 : readStep(expression, step, range)
    for (const number of readSpan(expression, span, { range, hyphens, open: step !== undefined })) {
      if (number.index % every === 0) found.add(number.value)
    }
  }
  return [...found].sort((a, b) => a - b)
}

function readStep(expression: string, step: Word, { least, most }: NumberRange): number {
  const number = /^\d{1,4}$/.test(step.text) ? Number(step.text) : 0
  if (number >= 1 && number <= most - least + 1) return number
  throw misread(expression, step, `a step here is a number from 1 to ${most - least + 1}`)
}

interface SpanRules {
  readonly range: NumberRange
  readonly hyphens: boolean
  /** Whether a single number means all from there on. */
  readonly open: boolean
}

function* readSpan(
  expression: string,
  span: Word,
  { range, hyphens, open }: SpanRules,
): Generator<{ value: number; index: number }> {
  const { least, most } = range
  const [first = span, last, extra] = split(span, hyphens && !span.text.includes('..') ? '-' : '..')
  if (extra !== undefined) throw misread(expression, extra, 'a range has two ends')
  const any = span.text === '*'
  const from = any ? least : readOne(expression, first, range)
  const single = open ? most : from
  const to = any ? most : last === undefined ? single : readOne(expression, last, range)
  if (to < from && range.names === undefined) {
    throw misread(expression, span, `the end of a range of ${range.what}s comes after its beginning`)
  }
  const count = ((to - from + (most - least + 1)) % (most - least + 1)) + 1
  for (let index = 0; index < count; index++) {
    yield { value: least + ((from - least + index) % (most - least + 1)), index }
  }
}

function readOne(expression: string, word: Word, { what, least, most, names }: NumberRange): number {
  const named = names?.findIndex((name) => word.text.length >= 3 && name.startsWith(word.text)) ?? -1
  if (named >= 0) return least + named
  const number = /^\d{1,4}$/.test(word.text) ? Number(word.text) : NaN
  if (number >= least && number <= most) return number
  const known = names === undefined ? '' : ` (${names.map((name) => name.slice(0, 3)).join(', ')})`
  throw misread(expression, word, `${article(what)} is from ${least} to ${most}${known}`)
}

function article(what: string): string {
  return `${/^[aeiou]|^hour/.test(what) ? 'an' : 'a'} ${what}`
}
