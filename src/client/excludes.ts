import ignore from 'ignore'
import type { Ignore } from 'ignore'
import { TwofoldError } from '../core/errors.ts'
import { asBuffer } from '../core/ids.ts'
import type { SourceType } from './source-tree.ts'

export interface ExcludeSubject {
  readonly type: SourceType
  /** Whether the directory that it lies in says that it is a cache, by a CACHEDIR.TAG with the standard signature. */
  readonly inCacheDirectory: boolean
  /** Of a file, in bytes. */
  readonly size?: number
}

/** Whether to leave something out; what lies below a directory that is left out is not asked for. */
export interface Excludes {
  (path: Uint8Array, subject: ExcludeSubject): boolean
  /** Directories with such a file are left out but for the file itself. */
  readonly markers?: readonly ExcludeMarker[] | undefined
  /** Whether files named `.twofoldignore` say what to leave out of their directory. */
  readonly ignoreFiles?: boolean | undefined
  /** Whether they are all that there is. */
  readonly onlyIgnoreFiles?: boolean | undefined
}

/** A file that says that what lies beside it is not to be saved. */
export interface ExcludeMarker {
  readonly name: string
  /** How it must begin; empty for anything. */
  readonly header: string
}

export interface ExcludeOptions {
  readonly patterns: readonly string[]
  /** The same with upper and lower case alike. */
  readonly ignoreCasePatterns?: readonly string[] | undefined
  /** Leave out files of more bytes. */
  readonly largerThan?: number | undefined
  readonly markers?: readonly ExcludeMarker[] | undefined
  readonly ignoreFiles?: boolean | undefined
  /** Leave out the content of cache directories, except their tag. */
  readonly caches?: boolean | undefined
}

export const cacheTagName = 'CACHEDIR.TAG'
/** How the tag begins, by the Cache Directory Tagging Specification. */
export const cacheTagSignature = 'Signature: 8a477f597d28d172789f06886806bc55'

/** The library remembers every path that it was asked about; a fresh one now and then bounds that. */
export const pathsPerMatcher = 20_000

export const excludeNothing: Excludes = () => false

/**
 * Patterns in the manner of `.gitignore`, as restic reads them: a leading `/` is the root of the file system, any other
 * pattern matches at any depth; `*`, `?` and `[…]` stay within a name, `**` crosses directories, a trailing `/` means
 * directories only, a leading `!` takes back an earlier pattern.
 *
 * @throws TwofoldError `invalid-argument` for an empty pattern.
 */
export function createExcludes(options: ExcludeOptions): Excludes {
  const { ignoreCasePatterns = [], largerThan = Infinity, caches = false, markers = [], ignoreFiles = false } = options
  const exact = options.patterns.length === 0 ? undefined : createMatcher(options.patterns, false)
  const folded = ignoreCasePatterns.length === 0 ? undefined : createMatcher(ignoreCasePatterns, true)
  const some = exact !== undefined || folded !== undefined || caches || largerThan < Infinity
  if (!some && markers.length === 0 && !ignoreFiles) return excludeNothing
  const excludes = (path: Uint8Array, subject: ExcludeSubject): boolean => {
    if (!some) return false
    if (caches && subject.inCacheDirectory && !isCacheTag(path)) return true
    if (subject.type === 'file' && (subject.size ?? 0) > largerThan) return true
    if (exact === undefined && folded === undefined) return false
    const text = matchablePath(path, subject.type)
    return exact?.(text) === true || folded?.(text) === true
  }
  return Object.assign(excludes, { markers, ignoreFiles, onlyIgnoreFiles: !some && markers.length === 0 })
}

/** The patterns of an exclude file: one a line, without empty lines and `#` comments. */
export function parseExcludeFile(text: string): string[] {
  const lines = text.split('\n').map((line) => line.replace(/\r$/, ''))
  return lines.filter((line) => line.trim() !== '' && !line.startsWith('#'))
}

function createMatcher(patterns: readonly string[], ignoreCase: boolean): (path: string) => boolean {
  const translated = patterns.map(translate)
  const create = (): Ignore => ignore({ ignoreCase, allowRelativePaths: true }).add(translated)
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

/** What is behind the first `from` bytes, with a `/` behind directories, as the library wants it. */
export function matchablePath(path: Uint8Array, type: SourceType, from = 1): string {
  const relative = asBuffer(path).subarray(from)
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
