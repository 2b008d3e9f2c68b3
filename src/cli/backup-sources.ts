import { readFile } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { createExcludes, parseExcludeFile } from '../client/index.ts'
import type { ExcludeMarker, Excludes } from '../client/index.ts'
import { TwofoldError } from '../core/errors.ts'
import { absoluteArgument, absolutePath } from './argument-bytes.ts'

export interface SourceOptions {
  readonly exclude?: readonly string[]
  readonly excludeFile?: readonly string[]
  readonly iexclude?: readonly string[]
  readonly excludeLargerThan?: number
  readonly excludeIfPresent?: readonly string[]
  readonly excludeCaches?: boolean
  /** False: files that say what to leave out say nothing. */
  readonly ignoreFiles?: boolean
  readonly filesFrom?: readonly string[]
  readonly filesFromRaw?: readonly string[]
}

/** The paths to back up: from the command line and from lists. @throws TwofoldError `io` */
export async function collectPaths(
  operands: readonly string[],
  options: SourceOptions,
  stdin: Readable,
): Promise<Uint8Array[]> {
  const paths: Uint8Array[] = operands.map(absoluteArgument)
  for (const file of options.filesFrom ?? []) {
    const lines = splitBytes(await readList(file, stdin), 0x0a).map(withoutCarriageReturn)
    paths.push(...lines.filter((line) => line.length > 0 && line[0] !== 0x23).map(absolutePath))
  }
  for (const file of options.filesFromRaw ?? []) {
    const names = splitBytes(await readList(file, stdin), 0)
    paths.push(...names.filter((name) => name.length > 0).map(absolutePath))
  }
  return paths
}

/** What to leave out, and the patterns behind it. @throws TwofoldError `io`, `invalid-argument` */
export async function collectExcludes(options: SourceOptions): Promise<{ patterns: string[]; excludes: Excludes }> {
  const patterns = [...(options.exclude ?? [])]
  for (const file of options.excludeFile ?? []) {
    patterns.push(...parseExcludeFile((await readNamed(file)).toString('utf8')))
  }
  const { iexclude: ignoreCasePatterns = [], excludeLargerThan: largerThan, excludeCaches: caches } = options
  const markers = (options.excludeIfPresent ?? []).map(parseMarker)
  const ignoreFiles = options.ignoreFiles !== false
  const excludes = createExcludes({ patterns, ignoreCasePatterns, largerThan, caches, markers, ignoreFiles })
  // What is no pattern of `--exclude` is written down as the option that it was.
  const rules = [
    ...ignoreCasePatterns.map((pattern) => `--iexclude=${pattern}`),
    ...(options.excludeIfPresent ?? []).map((text) => `--exclude-if-present=${text}`),
    ...(largerThan === undefined ? [] : [`--exclude-larger-than=${largerThan}`]),
    ...(caches === true ? ['--exclude-caches'] : []),
  ]
  return { patterns: [...patterns, ...rules], excludes }
}

/** `.nobackup`, or `.nobackup:how it begins`. @throws TwofoldError `invalid-argument` */
function parseMarker(text: string): ExcludeMarker {
  const colon = text.indexOf(':')
  const [name, header] = colon === -1 ? [text, ''] : [text.slice(0, colon), text.slice(colon + 1)]
  if (name !== '' && !name.includes('/')) return { name, header }
  throw new TwofoldError('invalid-argument', `--exclude-if-present wants the name of a file, not "${text}"`)
}

async function readList(file: string, stdin: Readable): Promise<Buffer> {
  if (file !== '-') return readNamed(file)
  const pieces: Buffer[] = []
  for await (const piece of stdin) pieces.push(piece as Buffer)
  return Buffer.concat(pieces)
}

async function readNamed(file: string): Promise<Buffer> {
  try {
    return await readFile(file)
  } catch (cause) {
    const words = cause instanceof Error ? cause.message : String(cause)
    throw new TwofoldError('io', `cannot read the list ${file}: ${words}`, { cause })
  }
}

function splitBytes(bytes: Buffer, separator: number): Buffer[] {
  const parts: Buffer[] = []
  for (let start = 0; start <= bytes.length;) {
    const found = bytes.indexOf(separator, start)
    const end = found === -1 ? bytes.length : found
    parts.push(bytes.subarray(start, end))
    start = end + 1
  }
  return parts
}

function withoutCarriageReturn(line: Buffer): Buffer {
  return line.at(-1) === 0x0d ? line.subarray(0, -1) : line
}
