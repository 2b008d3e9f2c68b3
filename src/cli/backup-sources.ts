import { readFile } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { createExcludes, parseExcludeFile } from '../client/index.ts'
import type { Excludes } from '../client/index.ts'
import { TwofoldError } from '../core/errors.ts'
import { absoluteArgument, absolutePath } from './argument-bytes.ts'

export interface SourceOptions {
  readonly exclude?: readonly string[]
  readonly excludeFile?: readonly string[]
  readonly excludeCaches?: boolean
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
  return { patterns, excludes: createExcludes({ patterns, caches: options.excludeCaches }) }
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
