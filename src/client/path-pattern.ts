import { TwofoldError } from '../core/errors.ts'
import { asBuffer } from '../core/ids.ts'

/**
 * Patterns for paths in a snapshot, as restic reads them: `*`, `?` and `[…]` stay within a name, `**` crosses
 * directories; a leading `/` means the root of the snapshot, any other pattern matches at any depth. A pattern that
 * matches a directory matches everything below it.
 */
export class PathPatterns {
  readonly #patterns: readonly Pattern[]

  /** @throws TwofoldError `invalid-argument` for an empty pattern. */
  constructor(patterns: readonly string[], options: { ignoreCase?: boolean | undefined } = {}) {
    this.#patterns = patterns.map((pattern) => parsePattern(pattern, options.ignoreCase ?? false))
  }

  get empty(): boolean {
    return this.#patterns.length === 0
  }

  /** Whether a pattern matches the path or a directory above it. */
  matches(path: Uint8Array): boolean {
    const names = splitPath(path)
    return this.#patterns.some(({ anchored, parts }) => {
      const last = anchored ? 0 : names.length - 1
      for (let start = 0; start <= last; start++) if (matchParts(parts, names, { at: 0, start }) === 'yes') return true
      return false
    })
  }

  /** Whether a pattern matches the path itself, whatever is above it. */
  matchesExactly(path: Uint8Array): boolean {
    const names = splitPath(path)
    return this.#patterns.some(({ anchored, parts }) => {
      const last = anchored ? 0 : names.length - 1
      for (let start = 0; start <= last; start++) if (covers(parts, names, { at: 0, start })) return true
      return false
    })
  }

  /** Whether a pattern may match something below the directory `path`, or matches it. */
  mayMatchBelow(path: Uint8Array): boolean {
    const names = splitPath(path)
    if (names.length === 0) return !this.empty
    return this.#patterns.some(
      ({ anchored, parts }) => !anchored || matchParts(parts, names, { at: 0, start: 0 }) !== 'no',
    )
  }
}

interface Pattern {
  readonly anchored: boolean
  /** One for each name; undefined for `**`. */
  readonly parts: readonly (RegExp | undefined)[]
}

/** `more` when the names ended before the pattern did. */
type Match = 'yes' | 'no' | 'more'

function matchParts(
  parts: Pattern['parts'],
  names: readonly string[],
  { at, start }: { at: number; start: number },
): Match {
  let name = start
  for (let part = at; part < parts.length; part++, name++) {
    const pattern = parts[part]
    if (pattern === undefined) {
      let best: Match = 'no'
      for (let next = name; next <= names.length; next++) {
        const match = matchParts(parts, names, { at: part + 1, start: next })
        if (match === 'yes') return 'yes'
        if (match === 'more') best = 'more'
      }
      return best
    }
    const current = names[name]
    if (current === undefined) return 'more'
    if (!pattern.test(current)) return 'no'
  }
  return 'yes'
}

/** Whether the pattern's parts match the names from `start` on to the last one. */
function covers(
  parts: Pattern['parts'],
  names: readonly string[],
  { at, start }: { at: number; start: number },
): boolean {
  let name = start
  for (let part = at; part < parts.length; part++, name++) {
    const pattern = parts[part]
    if (pattern === undefined) {
      for (let next = name; next <= names.length; next++) {
        if (covers(parts, names, { at: part + 1, start: next })) return true
      }
      return false
    }
    const current = names[name]
    if (current === undefined || !pattern.test(current)) return false
  }
  return name === names.length
}

function parsePattern(text: string, ignoreCase: boolean): Pattern {
  const names = text.split('/').filter((name) => name !== '' && name !== '.')
  if (names.length === 0) throw new TwofoldError('invalid-argument', `"${text}" is no pattern: it names nothing`)
  const parts = names.map((name) => (name === '**' ? undefined : globToRegExp(name, ignoreCase)))
  return { anchored: text.startsWith('/'), parts }
}

const special = /[\\^$.*+?()[\]{}|/-]/

function globToRegExp(glob: string, ignoreCase: boolean): RegExp {
  let source = ''
  for (let at = 0; at < glob.length; at++) {
    const char = glob.charAt(at)
    if (char === '*') source += '.*'
    else if (char === '?') source += '.'
    else if (char === '[') {
      const end = glob.indexOf(']', at + 2)
      if (end === -1) throw new TwofoldError('invalid-argument', `"${glob}" is no pattern: "[" is never closed`)
      source += toClass(glob.slice(at + 1, end))
      at = end
    } else if (char === '\\' && at + 1 < glob.length) source += escaped(glob.charAt(++at))
    else source += escaped(char)
  }
  return new RegExp(`^${source}$`, ignoreCase ? 'isu' : 'su')
}

function escaped(char: string): string {
  return special.test(char) ? `\\${char}` : char
}

function toClass(body: string): string {
  const negated = body.startsWith('!') || body.startsWith('^')
  const inner = (negated ? body.slice(1) : body).replace(/[\\\]^[]/g, (char) => `\\${char}`)
  try {
    new RegExp(`[${inner}]`, 'u')
  } catch (cause) {
    throw new TwofoldError('invalid-argument', `"[${body}]" is no set of characters`, { cause })
  }
  return `[${negated ? '^' : ''}${inner}]`
}

/** Names are matched as text. Bytes that are not UTF-8 are replaced for that, so that `?` and `*` match them. */
function splitPath(path: Uint8Array): string[] {
  const text = asBuffer(path).toString('utf8')
  return text.split('/').filter((name) => name !== '')
}
