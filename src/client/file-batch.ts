import { asBuffer } from '../core/ids.ts'
import type { TargetPath, WholeFile } from './restore-target.ts'
import type { PlacedFile } from './whole-file-writer.ts'

/**
 * Files in a form that another thread takes cheaply: few objects, and no memory that is shared with others. Names are
 * strings with one UTF-16 unit for each byte.
 */
export interface FileBatch {
  /** Each named once if its files follow each other, with slashes between the names. */
  readonly directories: readonly string[]
  readonly names: readonly string[]
  /** `numbersOfFile` for each file: index of its directory, offset and length in the content, mode, uid, gid. */
  readonly numbers: Float64Array
  readonly mtimesNs: BigInt64Array
}

const numbersOfFile = 6

export function packFiles(files: readonly WholeFile[]): FileBatch {
  const directories: string[] = []
  const names: string[] = []
  const numbers = new Float64Array(files.length * numbersOfFile)
  const mtimesNs = new BigInt64Array(files.length)
  for (const [index, { path, offset, length, metadata }] of files.entries()) {
    const parts = path.map(toText)
    names.push(parts.pop() ?? '')
    const directory = parts.join('/')
    if (directories.length === 0 || directories.at(-1) !== directory) directories.push(directory)
    const { mode, uid, gid, mtimeNs } = metadata
    numbers.set([directories.length - 1, offset, length, mode, uid, gid], index * numbersOfFile)
    mtimesNs[index] = mtimeNs
  }
  return { directories, names, numbers, mtimesNs }
}

/** The files again, with their part of `content`. */
export function* unpackFiles(content: Uint8Array, batch: FileBatch): Generator<PlacedFile> {
  const directories = batch.directories.map(toPath)
  for (const [index, name] of batch.names.entries()) {
    const start = index * numbersOfFile
    const [at, offset, length, mode, uid, gid] = batch.numbers.subarray(start, start + numbersOfFile) as unknown as Six
    const metadata = { mode, uid, gid, mtimeNs: batch.mtimesNs[index] as bigint }
    const data = content.subarray(offset, offset + length)
    yield { directory: directories[at] as TargetPath, name: Buffer.from(name, 'latin1'), data, metadata }
  }
}

type Six = readonly [number, number, number, number, number, number]

function toText(name: Uint8Array): string {
  return asBuffer(name).toString('latin1')
}

function toPath(directory: string): TargetPath {
  return directory === '' ? [] : directory.split('/').map((name) => Buffer.from(name, 'latin1'))
}
