import type { FileSpec } from './workload.ts'
import { SeededStream } from './seeded-stream.ts'

/** A run of new bytes in a file. In bytes. */
export interface Piece {
  readonly offset: number
  readonly length: number
}

/** One thing that happened to a folder from one day to the next. Sizes and offsets are in bytes. */
export type Change =
  | { readonly way: 'modify'; readonly file: FileSpec; readonly pieces: readonly Piece[] }
  | { readonly way: 'insert'; readonly file: FileSpec; readonly offset: number; readonly length: number }
  | { readonly way: 'append'; readonly file: FileSpec; readonly length: number }
  | { readonly way: 'new'; readonly file: FileSpec }
  | { readonly way: 'delete'; readonly file: FileSpec }
  | { readonly way: 'rename'; readonly file: FileSpec; readonly to: string }

/** Of the files, and of the bytes of a file that is modified or appended to; of few files of all bytes together. */
const changedPart = 0.01
const ways = 5
/** What a modified or extended file gets at least, if it is as long. */
const changedBytesLeast = 16
/** Below so many files one of them is more than 1 % of all. */
const fewFiles = 10
const islandsOfOneFile = 2

/** What happens to 1 % of a folder; always the same for a seed. */
export function planSecondDay(files: readonly FileSpec[], seed: string): Change[] {
  const random = new SeededStream(`${seed}/second day`)
  return files.length < fewFiles ? planInsideFiles(files, random) : planAcrossFiles(files, random)
}

/**
 * 1 % of the files change, a fifth of them in each way, but at least one in each. A modified file has 1 % of its bytes
 * overwritten, an extended one grows by 1 %; new files are like the old ones, but together not above 1 % of all bytes.
 */
function planAcrossFiles(files: readonly FileSpec[], random: SeededStream): Change[] {
  const perWay = Math.max(1, Math.round((files.length * changedPart) / ways))
  const touched = random.pick(
    files.filter(({ size }) => size > 0),
    perWay * (ways - 1),
  )
  const next = (): FileSpec[] => touched.splice(0, perWay)
  const newBytesMost = Math.max(1, Math.floor((totalBytes(files) * changedPart) / perWay))
  return [
    ...next().map((file): Change => ({ way: 'modify', file, pieces: [pieceOf(file, partOf(file.size), random)] })),
    ...next().map((file): Change => ({ way: 'append', file, length: partOf(file.size) })),
    ...next().map((file): Change => ({ way: 'delete', file })),
    ...next().map((file): Change => ({ way: 'rename', file, to: `${file.path}.renamed` })),
    ...random.pick(files, perWay).map((like): Change => {
      const size = Math.min(like.size, newBytesMost)
      return { way: 'new', file: { ...like, size, path: `${like.path}.new`, content: `${like.path}.new` } }
    }),
  ]
}

/** New is 1 % of all bytes: a quarter at the end of a file, a quarter inside of another, half in islands of others. */
function planInsideFiles(files: readonly FileSpec[], random: SeededStream): Change[] {
  const [extended, grown, ...others] = random.pick(files, files.length)
  const quarter = partOf(totalBytes(files) / 4)
  const island = Math.ceil((2 * quarter) / (others.length * islandsOfOneFile))
  return [
    ...(extended === undefined ? [] : [{ way: 'append', file: extended, length: quarter } as const]),
    ...(grown === undefined
      ? []
      : [{ way: 'insert', file: grown, offset: random.below(grown.size + 1), length: quarter } as const]),
    ...others.map((file): Change => ({ way: 'modify', file, pieces: islandsOf(file, island, random) })),
  ]
}

/** One in each part of the file, so that they do not meet. */
function islandsOf(file: FileSpec, length: number, random: SeededStream): Piece[] {
  const part = Math.floor(file.size / islandsOfOneFile)
  return Array.from({ length: islandsOfOneFile }, (_, number) => {
    const { offset, ...piece } = pieceOf({ size: part }, length, random)
    return { offset: number * part + offset, ...piece }
  })
}

export interface FolderSize {
  readonly files: number
  readonly bytes: number
}

export function sizeAfter(files: readonly FileSpec[], changes: readonly Change[]): FolderSize {
  let count = files.length
  let bytes = totalBytes(files)
  for (const change of changes) {
    if (change.way === 'new') {
      count += 1
      bytes += change.file.size
    } else if (change.way === 'delete') {
      count -= 1
      bytes -= change.file.size
    } else if (change.way === 'append' || change.way === 'insert') {
      bytes += change.length
    }
  }
  return { files: count, bytes }
}

function totalBytes(files: readonly FileSpec[]): number {
  return files.reduce((sum, { size }) => sum + size, 0)
}

function partOf(bytes: number): number {
  return Math.max(changedBytesLeast, Math.round(bytes * changedPart))
}

function pieceOf({ size }: { size: number }, wanted: number, random: SeededStream): Piece {
  const length = Math.min(size, wanted)
  return { offset: random.below(size - length + 1), length }
}
