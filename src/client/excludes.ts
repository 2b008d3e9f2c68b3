import ignore from 'ignore'
import type { Ignore } from 'ignore'
import { TwofoldError } from '../core/errors.ts'
import { asBuffer } from '../core/ids.ts'
import type { SourceType } from './source-tree.ts'

export interface ExcludeSubject {
  readonly type: SourceType
  /** Whether the directory that it lies in says that it is a cache, by a CACHEDIR.TAG with the standard signature. */
  readonly inCacheDirectory: boolean
}

/** Whether to leave something out; what lies below a directory that is left out is not asked for. */
export type Excludes = (path: Uint8Array, subject: ExcludeSubject) => boolean

export interface ExcludeOptions {
  readonly patterns: readonly string[]
  /** Leave out the content of cache directories, except their tag. */
  readonly caches?: boolean | undefined
}

export const cacheTagName = 'CACHEDIR.TAG'
/** How the tag begins, by the Cache Directory Tagging Specification. */
export const cacheTagSignature = 'Signature: 8a477f597d28d172789f06886806bc55'

/** The library remembers every path that it was asked about; a fresh one now and then bounds that. */
const pathsPerMatcher = 20_000

export const excludeNothing: Excludes = () => false

/**
 * Patterns in the manner of `.gitignore`, as restic reads them: a leading `/` is the root of the file system, any other
 * pattern matches at any depth; `*`, `?` and `[…]` stay within a name, `**` crosses directories, a trailing `/` means
 * directories only, a leading `!` takes back an earlier pattern.
 *
 * @throws TwofoldError `invalid-argument` for an empty pattern.
 */
export function createExcludes(options: ExcludeOptions): Excludes {
  const matches = options.patterns.length === 0 ? undefined : createMatcher(options.patterns)
  const caches = options.caches ?? false
  if (matches === undefined && !caches) return excludeNothing
  return (path, subject) => {
    if (caches && subject.inCacheDirectory && !isCacheTag(path)) return true
    return matches !== undefined && matches(matchablePath(path, subject.type))
  }
}

/** The patterns of an exclude file: one a line, without empty lines and `#` comments. */
export function parseExcludeFile(text: string): string[] {
  const lines = text.split('\n').map((line) => line.replace(/\r$/, ''))
  return lines.filter((line) => line.trim() !== '' && !line.startsWith('#'))
}

function createMatcher(patterns: readonly string[]): (path: string) => boolean {
  const translated = patterns.map(translate)
  const create = (): Ignore => ignore({ ignoreCase: false, allowRelativePaths: true }).add(translated)
  let matcher = create()
  let asked = 0
  return (path) => {
    if (++asked % pathsPerMatcher === 0) matcher = create()
    return matcher.ignores(path)
  }
}

/** `.gitignore` anchors a pattern with a slash in it to its root; here only a leading slash does. */
function translate(pattern: string): string {
  if (pattern.trim() === '') throw new TwofoldError('invalid-argument', 'an exclude pattern must not be empty')
  const negated = pattern.startsWith('!')
  let body = negated ? pattern.slice(1) : pattern
  if (body.startsWith('./')) body = body.slice(2)
  if (body.startsWith('#')) body = `\\${body}`
  const anchored = body.startsWith('/') || body.startsWith('**/')
  const inner = body.slice(0, -1).includes('/')
  return `${negated ? '!' : ''}${!anchored && inner ? '**/' : ''}${body}`
}

/** Relative to the root, with a `/` behind directories, as the library wants it. */
function matchablePath(path: Uint8Array, type: SourceType): string {
  const relative = asBuffer(path).subarray(1)
  const text = relative.toString('utf8')
  const safe = text.includes('\ufffd') ? decodeParts(relative) : text
  return type === 'directory' ? `${safe}/` : safe
}

/** Names that are not UTF-8 are taken byte by byte, so that `*` and `?` still match in them. */
function decodeParts(path: Buffer): string {
  const parts = path.toString('latin1').split('/')
  return parts.map((part) => decodeName(Buffer.from(part, 'latin1'))).join('/')
}

function decodeName(name: Buffer): string {
  const text = name.toString('utf8')
  return Buffer.from(text, 'utf8').equals(name) ? text : name.toString('latin1')
}

function isCacheTag(path: Uint8Array): boolean {
  return asBuffer(path).toString('latin1').endsWith(`/${cacheTagName}`)
}
