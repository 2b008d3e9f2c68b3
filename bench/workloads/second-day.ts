import type { FileSpec } from './workload.ts'
import { SeededStream } from './seeded-stream.ts'

/** One thing that happened to a folder from one day to the next. Sizes and offsets are in bytes. */
export type Change =
  | { readonly way: 'modify'; readonly file: FileSpec; readonly offset: number; readonly length: number }
  | { readonly way: 'append'; readonly file: FileSpec; readonly length: number }
  | { readonly way: 'new'; readonly file: FileSpec }
  | { readonly way: 'delete'; readonly file: FileSpec }
  | { readonly way: 'rename'; readonly file: FileSpec; readonly to: string }

/** Of the files, and of the bytes of a file that is modified or appended to. */
const changedPart = 0.01
const ways = 5
/** What a modified or extended file gets at least, if it is as long. */
const changedBytesLeast = 16

/**
 * 1 % of the files change, a fifth of them in each way, but at least one in each. A modified file has 1 % of its bytes
 * overwritten, an extended one grows by 1 %; new files are like the old ones, but together not above 1 % of all bytes.
 */
export function planSecondDay(files: readonly FileSpec[], seed: string): Change[] {
  const random = new SeededStream(`${seed}/second day`)
  const perWay = Math.max(1, Math.round((files.length * changedPart) / ways))
  const touched = random.pick(
    files.filter(({ size }) => size > 0),
    perWay * (ways - 1),
  )
  const next = (): FileSpec[] => touched.splice(0, perWay)
  const totalBytes = files.reduce((sum, { size }) => sum + size, 0)
  const newBytesMost = Math.max(1, Math.floor((totalBytes * changedPart) / perWay))
  return [
    ...next().map((file): Change => ({ way: 'modify', file, ...pieceOf(file, random) })),
    ...next().map((file): Change => ({ way: 'append', file, length: pieceBytes(file) })),
    ...next().map((file): Change => ({ way: 'delete', file })),
    ...next().map((file): Change => ({ way: 'rename', file, to: `${file.path}.renamed` })),
    ...random.pick(files, perWay).map((like): Change => {
      const size = Math.min(like.size, newBytesMost)
      return { way: 'new', file: { ...like, size, path: `${like.path}.new`, content: `${like.path}.new` } }
    }),
  ]
}

export interface FolderSize {
  readonly files: number
  readonly bytes: number
}

export function sizeAfter(files: readonly FileSpec[], changes: readonly Change[]): FolderSize {
  let count = files.length
  let bytes = files.reduce((sum, { size }) => sum + size, 0)
  for (const change of changes) {
    if (change.way === 'new') {
      count += 1
      bytes += change.file.size
    } else if (change.way === 'delete') {
      count -= 1
      bytes -= change.file.size
    } else if (change.way === 'append') {
      bytes += change.length
    }
  }
  return { files: count, bytes }
}

function pieceBytes({ size }: FileSpec): number {
  return Math.max(changedBytesLeast, Math.round(size * changedPart))
}

function pieceOf(file: FileSpec, random: SeededStream): { offset: number; length: number } {
  const length = Math.min(file.size, pieceBytes(file))
  return { offset: random.below(file.size - length + 1), length }
}
