import * as fs from 'node:fs'

export interface Comparison {
  readonly files: number
  readonly directories: number
  readonly symlinks: number
  readonly bytes: number
  /** Files and folders of the source that could not be compared, because this user may not read them. */
  readonly unreadable: number
  /** What is not the same, one line each; empty when the trees are equal. */
  readonly differences: readonly string[]
}

interface Tally {
  files: number
  directories: number
  symlinks: number
  bytes: number
  unreadable: number
  differences: string[]
}

export interface CompareOptions {
  /** False: owners may differ, as they do when anybody but root restores. */
  readonly owners?: boolean
}

const bigint = { bigint: true } as const
const sliceBytes = 1024 * 1024
const differencesMost = 100

/**
 * Compares two trees byte for byte and by metadata: type, mode, owner, time of modification in nanoseconds, targets of
 * symbolic links, and which names are the same file. Holes count as the zeros that they read as. Sockets, devices and
 * pipes of the source are not expected in the copy. Names are bytes.
 */
export class TreeComparison {
  readonly #tally: Tally = { files: 0, directories: 0, symlinks: 0, bytes: 0, unreadable: 0, differences: [] }
  readonly #owners: boolean
  /** For each file with several names the copy's identity, in both directions. */
  readonly #copyOf = new Map<string, string>()
  readonly #sourceOf = new Map<string, string>()
  readonly #left = Buffer.alloc(sliceBytes)
  readonly #right = Buffer.alloc(sliceBytes)

  private constructor({ owners = true }: CompareOptions) {
    this.#owners = owners
  }

  static compare(source: string, copy: string, options: CompareOptions = {}): Comparison {
    const comparison = new TreeComparison(options)
    comparison.#compare(Buffer.from(source), Buffer.from(copy))
    return comparison.#tally
  }

  #compare(source: Buffer, copy: Buffer): void {
    const before = fs.lstatSync(source, bigint)
    if (!before.isSymbolicLink() && !isReadable(source, before.isDirectory())) {
      this.#tally.unreadable += 1
      return
    }
    const after = fs.lstatSync(copy, { ...bigint, throwIfNoEntry: false })
    if (after === undefined) return this.#differ(source, 'is missing')
    const type = before.mode & BigInt(fs.constants.S_IFMT)
    if (type !== (after.mode & BigInt(fs.constants.S_IFMT))) return this.#differ(source, 'is of another type')
    this.#compareMetadata(source, before, after)
    if (before.isDirectory()) this.#compareDirectory(source, copy)
    else if (before.isSymbolicLink()) this.#compareLink(source, copy)
    else this.#compareFile({ source, copy, before, after })
  }

  #compareMetadata(source: Buffer, before: fs.BigIntStats, after: fs.BigIntStats): void {
    const pairs: readonly (readonly [string, bigint, bigint])[] = [
      ['mode', before.mode, after.mode],
      ...(this.#owners
        ? ([
            ['uid', before.uid, after.uid],
            ['gid', before.gid, after.gid],
          ] as const)
        : []),
      ['mtime', before.mtimeNs, after.mtimeNs],
    ]
    for (const [name, was, is] of pairs) if (was !== is) this.#differ(source, `${name} ${was} became ${is}`)
  }

  #compareDirectory(source: Buffer, copy: Buffer): void {
    this.#tally.directories += 1
    const copied = new Set(fs.readdirSync(copy, { encoding: 'buffer' }).map((name) => name.toString('latin1')))
    for (const name of fs.readdirSync(source, { encoding: 'buffer' })) {
      copied.delete(name.toString('latin1'))
      const path = join(source, name)
      if (isSaved(fs.lstatSync(path))) this.#compare(path, join(copy, name))
    }
    for (const name of copied) this.#differ(join(source, Buffer.from(name, 'latin1')), 'is only in the copy')
  }

  #compareLink(source: Buffer, copy: Buffer): void {
    this.#tally.symlinks += 1
    const target = fs.readlinkSync(source, { encoding: 'buffer' })
    if (!target.equals(fs.readlinkSync(copy, { encoding: 'buffer' }))) this.#differ(source, 'points elsewhere')
  }

  #compareFile(pair: { source: Buffer; copy: Buffer; before: fs.BigIntStats; after: fs.BigIntStats }): void {
    const { source, before, after } = pair
    this.#tally.files += 1
    if (before.size !== after.size) return this.#differ(source, `size ${before.size} became ${after.size}`)
    if (before.nlink > 1n || after.nlink > 1n) this.#compareIdentity(source, before, after)
    this.#tally.bytes += Number(before.size)
    this.#compareContent(pair.source, pair.copy)
  }

  /** Two names of one file in the source must be two names of one file in the copy, and the other way round. */
  #compareIdentity(source: Buffer, before: fs.BigIntStats, after: fs.BigIntStats): void {
    const original = `${before.dev}:${before.ino}`
    const copied = `${after.dev}:${after.ino}`
    const knownCopy = this.#copyOf.get(original) ?? copied
    const knownSource = this.#sourceOf.get(copied) ?? original
    this.#copyOf.set(original, knownCopy)
    this.#sourceOf.set(copied, knownSource)
    if (knownCopy !== copied || knownSource !== original) this.#differ(source, 'its hard links are different')
  }

  #compareContent(source: Buffer, copy: Buffer): void {
    const left = fs.openSync(source, 'r')
    const right = fs.openSync(copy, 'r')
    try {
      for (let offset = 0; ;) {
        const length = readFully(left, this.#left, offset)
        const other = readFully(right, this.#right, offset)
        if (length !== other || this.#left.compare(this.#right, 0, other, 0, length) !== 0) {
          return this.#differ(source, `content differs within ${sliceBytes} bytes from ${offset}`)
        }
        if (length < sliceBytes) return
        offset += length
      }
    } finally {
      fs.closeSync(left)
      fs.closeSync(right)
    }
  }

  #differ(path: Buffer, what: string): void {
    if (this.#tally.differences.length < differencesMost) {
      this.#tally.differences.push(`${JSON.stringify(path.toString())} ${what}`)
    }
  }
}

function readFully(descriptor: number, target: Buffer, offset: number): number {
  let length = 0
  while (length < target.length) {
    const read = fs.readSync(descriptor, target, length, target.length - length, offset + length)
    if (read === 0) break
    length += read
  }
  return length
}

function isReadable(path: Buffer, directory: boolean): boolean {
  try {
    fs.accessSync(path, directory ? fs.constants.R_OK | fs.constants.X_OK : fs.constants.R_OK)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EACCES') return false
    throw error
  }
}

function isSaved(stats: fs.Stats): boolean {
  return stats.isFile() || stats.isDirectory() || stats.isSymbolicLink()
}

function join(directory: Buffer, name: Buffer): Buffer {
  return Buffer.concat([directory, Buffer.from('/'), name])
}
