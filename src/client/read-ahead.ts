import { toTwofoldError } from '../core/errors.ts'
import type { TwofoldError } from '../core/errors.ts'
import type { SmallRead, SourceFile, SourceTree } from './source-tree.ts'

interface Ahead extends SmallRead {
  readonly bytes: Uint8Array
}

/**
 * Reads small files before they are asked for, several at once: where each waits for a slow disk or for a network, they
 * then wait together. At most `most` of them are held.
 */
export class SmallFilesAhead {
  readonly #source: SourceTree
  readonly #most: number
  readonly #begun = new Map<string, Promise<Ahead | TwofoldError>>()

  constructor(source: SourceTree, most: number) {
    this.#source = source
    this.#most = most
  }

  /** Whether one more may be begun. */
  get hasRoom(): boolean {
    return this.#begun.size < this.#most
  }

  begin(path: Uint8Array, size: number): void {
    const key = keyOf(path)
    if (!this.hasRoom || this.#begun.has(key)) return
    this.#begun.set(
      key,
      this.#read(path, size).catch((error: unknown) => toTwofoldError(error)),
    )
  }

  /** As `SourceTree.readSmall`, of what was begun or of the source. */
  async readSmall(path: Uint8Array, target: Uint8Array): Promise<SmallRead> {
    const key = keyOf(path)
    const begun = this.#begun.get(key)
    if (begun === undefined) return this.#source.readSmall(path, target)
    this.#begun.delete(key)
    const ahead = await begun
    if (ahead instanceof Error) throw ahead
    const { bytes, before, after } = ahead
    const length = Math.min(bytes.length, target.length)
    target.set(bytes.subarray(0, length))
    return { length, before, after }
  }

  async #read(path: Uint8Array, size: number): Promise<Ahead> {
    const file = await this.#source.open(path)
    try {
      const before = await file.stat()
      const memory = Buffer.allocUnsafe(size + 1)
      let length = 0
      while (length < memory.length) {
        const read = await file.read(memory.subarray(length), length)
        if (read === 0) break
        length += read
      }
      return { bytes: memory.subarray(0, length), length, before, after: await file.stat() }
    } finally {
      await file.close()
    }
  }
}

/** Reads one file from its beginning to its end, with several reads on their way; each is copied once for that. */
export class SequentialAhead {
  readonly #file: SourceFile
  readonly #pieceBytes: number
  readonly #most: number
  readonly #pieces: { readonly offset: number; readonly bytes: Promise<Uint8Array> }[] = []
  #next = 0

  constructor(file: SourceFile, { pieceBytes, most }: { pieceBytes: number; most: number }) {
    this.#file = file
    this.#pieceBytes = pieceBytes
    this.#most = most
  }

  /** `offset` must be where the read before ended. */
  async read(target: Uint8Array, offset: number): Promise<number> {
    while (this.#pieces.length < this.#most) this.#begin()
    const first = this.#pieces[0]
    if (first === undefined) return 0
    const bytes = await first.bytes
    const start = offset - first.offset
    const part = bytes.subarray(start, start + target.length)
    target.set(part)
    if (start + part.length < bytes.length) return part.length
    this.#pieces.shift()
    // A short read may have an end behind it, or not: what was begun further on does not join it.
    if (bytes.length < this.#pieceBytes) await this.#restart(first.offset + bytes.length)
    return part.length
  }

  /** Waits for what is on its way. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#pieces.splice(0).map(({ bytes }) => bytes))
  }

  async #restart(offset: number): Promise<void> {
    await this.close()
    this.#next = offset
  }

  #begin(): void {
    const offset = this.#next
    this.#next += this.#pieceBytes
    const memory = Buffer.allocUnsafe(this.#pieceBytes)
    const bytes = this.#file.read(memory, offset).then((length) => memory.subarray(0, length))
    // Its failure is thrown where it is awaited, or nobody wants it any more.
    bytes.catch(() => undefined)
    this.#pieces.push({ offset, bytes })
  }
}

function keyOf(path: Uint8Array): string {
  return Buffer.from(path.buffer, path.byteOffset, path.length).toString('latin1')
}
