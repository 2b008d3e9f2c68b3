import * as fs from 'node:fs'
import { dirname, join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { fillContent } from './content.ts'
import type { ContentKind } from './content.ts'
import type { Change, Piece } from './second-day.ts'
import { SeededStream } from './seeded-stream.ts'
import type { FileSpec } from './workload.ts'

const pieceBytes = 1024 * 1024
/** After so many files a signal to stop gets its turn. */
const filesPerTurn = 100

/** The folder that is backed up. */
export class SourceFolder {
  readonly path: string
  readonly #seed: string
  readonly #piece = Buffer.alloc(pieceBytes)

  /** @param path of the folder, which need not exist */
  constructor(path: string, seed: string) {
    this.path = path
    this.#seed = seed
  }

  async write(files: readonly FileSpec[], signal: AbortSignal): Promise<void> {
    for (const directory of new Set(files.map(({ path }) => dirname(path)))) {
      fs.mkdirSync(join(this.path, directory), { recursive: true })
    }
    for (const [at, file] of files.entries()) {
      if (at % filesPerTurn === 0) await turn(undefined, { signal })
      this.#create(file)
    }
  }

  /** Turns the first day's files into the second day's. */
  change(changes: readonly Change[]): void {
    for (const change of changes) this.#apply(change)
  }

  /** Makes the first day's files again. */
  undo(changes: readonly Change[]): void {
    for (const change of changes) {
      const { way, file } = change
      fs.rmSync(join(this.path, way === 'rename' ? change.to : file.path), { force: way === 'delete' })
      if (way !== 'new') this.#create(file)
    }
  }

  #apply(change: Change): void {
    const { file } = change
    const path = join(this.path, file.path)
    if (change.way === 'new') this.#create(file)
    else if (change.way === 'delete') fs.rmSync(path)
    else if (change.way === 'rename') fs.renameSync(path, join(this.path, change.to))
    else this.#alter(change)
  }

  #create(file: FileSpec): void {
    const descriptor = fs.openSync(join(this.path, file.path), 'wx')
    try {
      this.#fill(descriptor, { kind: file.kind, label: file.content, at: 0, length: file.size })
    } finally {
      fs.closeSync(descriptor)
    }
  }

  #alter(change: Change & { way: 'modify' | 'append' | 'insert' }): void {
    const { file } = change
    const descriptor = fs.openSync(join(this.path, file.path), 'r+')
    try {
      if (change.way === 'insert') this.#makeRoom(descriptor, file.size, change)
      for (const { offset, length } of newPieces(change)) {
        const label = `second day of ${file.path} at ${offset}`
        this.#fill(descriptor, { kind: file.kind, label, at: offset, length })
      }
    } finally {
      fs.closeSync(descriptor)
    }
  }

  /** Moves what is behind the offset further back, the end of it first. */
  #makeRoom(descriptor: number, size: number, { offset, length }: Piece): void {
    for (let end = size; end > offset;) {
      const piece = this.#piece.subarray(0, Math.min(pieceBytes, end - offset))
      end -= piece.length
      fs.readSync(descriptor, piece, 0, piece.length, end)
      fs.writeSync(descriptor, piece, 0, piece.length, end + length)
    }
  }

  #fill(descriptor: number, content: { kind: ContentKind; label: string; at: number; length: number }): void {
    const { kind, label, at, length } = content
    const random = new SeededStream(`${this.#seed}/${label}`)
    for (let done = 0; done < length; done += pieceBytes) {
      const piece = this.#piece.subarray(0, Math.min(pieceBytes, length - done))
      fillContent(kind, random, piece)
      fs.writeSync(descriptor, piece, 0, piece.length, at + done)
    }
  }
}

function newPieces(change: Change & { way: 'modify' | 'append' | 'insert' }): readonly Piece[] {
  if (change.way === 'modify') return change.pieces
  return [{ offset: change.way === 'append' ? change.file.size : change.offset, length: change.length }]
}
