import * as fs from 'node:fs'
import type { Clock } from '../core/clock.ts'
import { toTwofoldError, TwofoldError } from '../core/errors.ts'
import { freeBytes } from '../core/free-bytes.ts'
import { asBuffer, toHex } from '../core/ids.ts'
import { restoreDirectoriesOpenMax } from '../core/limits.ts'
import type { Random } from '../core/random.ts'
import { childPath, DirectoryHandles, lstatOrNothing, makeWithParents, rootFlags } from './directory-handles.ts'
import { packFiles, unpackFiles } from './file-batch.ts'
import { loadFileTimes } from './file-times.ts'
import { LargeWrites } from './large-writes.ts'
import { MetadataSetter } from './metadata-setter.ts'
import { leaveMark } from './restore-mark.ts'
import type {
  RestoredThing,
  RestoreTarget,
  TargetFile,
  TargetMetadata,
  TargetPath,
  TargetStat,
  WholeFile,
} from './restore-target.ts'
import { attempt, isErrno, toTargetError } from './target-error.ts'
import { OpenFiles, TemporaryFile } from './target-file.ts'
import { checkTargetPath } from './target-name.ts'
import { loadUnnamedFiles } from './unnamed-files.ts'
import type { UnnamedFiles } from './unnamed-files.ts'
import { WholeFileWriter } from './whole-file-writer.ts'
import { WritingThreads, writingThreadsDefault } from './writing-threads.ts'

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = fs.constants
const readFlags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK

export interface TargetDiskOptions {
  readonly random: Random
  readonly clock: Pick<Clock, 'monotonicMs'>
  /** Threads that write whole files, 0 for none: then it is done at once. Unless given as many as pay here. */
  readonly threads?: number | undefined
}

/**
 * A directory of this machine (Linux). Every operation reaches its file from the open directory that it lies in, never
 * by a path that could be led astray meanwhile. Metadata calls are synchronous: each takes microseconds, a promise for
 * each would take several times that.
 */
export class TargetDisk implements RestoreTarget {
  readonly #directory: string | Uint8Array
  /** What distinguishes the temporary names of this restore, and of this run of it, from those of others. */
  #mark: string
  /** How temporary names began that an interrupted restore may have left. */
  #stale: string | undefined
  /** The mark's name, while it is there. */
  #markName: Buffer | undefined
  readonly #run: string
  #temporaries = 0
  readonly #files = new OpenFiles()
  readonly #large: LargeWrites
  readonly #threadCount: number
  #threads: WritingThreads | undefined
  #unnamed: UnnamedFiles | undefined
  #wholeFileWriter: WholeFileWriter | undefined
  #setter: MetadataSetter | undefined
  #handles: DirectoryHandles | undefined

  /** @param directory may be a symbolic link: where it leads was the user's choice. It need not exist yet. */
  constructor(directory: string | Uint8Array, { random, clock, threads }: TargetDiskOptions) {
    this.#directory = directory
    this.#large = new LargeWrites({ clock })
    this.#threadCount = threads ?? writingThreadsDefault()
    this.#mark = toHex(random.bytes(8))
    this.#run = toHex(random.bytes(4))
  }

  async prepare(): Promise<void> {
    this.#setter = new MetadataSetter(await loadFileTimes())
    this.#unnamed = await loadUnnamedFiles()
    try {
      makeWithParents(Buffer.from(this.#path))
      const probe = this.#open().reach([this.#temporaryName()])
      fs.closeSync(fs.openSync(probe, 'wx', 0o600))
      fs.unlinkSync(probe)
    } catch (error) {
      const cause = toTargetError(error)
      const words = cause instanceof Error ? cause.message : String(cause)
      const message = `cannot write to the target ${this.#shown()}: ${words}; choose another one with --target`
      throw new TwofoldError(cause instanceof TwofoldError && cause.code === 'no-room' ? 'no-room' : 'io', message, {
        cause,
      })
    }
  }

  async begin({ snapshotId, path, overwrite }: RestoredThing): Promise<bigint | undefined> {
    // A snapshot cannot contain its own id, so nothing that is restored has this name.
    this.#markName = Buffer.from(`.twofold-restore-${snapshotId.slice(0, 16)}`)
    const name = [this.#markName]
    return attempt(() => {
      const what = `${overwrite}:${snapshotId}:${toHex(path)}`
      const { id, sinceNs } = leaveMark(this.#open().reach(name), what, this.#mark)
      this.#mark = id
      if (sinceNs === undefined) return undefined
      this.#stale = `.twofold-${id}-`
      this.#removeStale([])
      return sinceNs
    })
  }

  async finish(): Promise<void> {
    const name = this.#markName
    if (name !== undefined) attempt(() => fs.rmSync(this.#open().reach([name]), { force: true }))
    this.#markName = undefined
  }

  async stat(path: TargetPath): Promise<TargetStat | undefined> {
    checkTargetPath(path)
    try {
      const stats = lstatOrNothing(this.#open().reach(path))
      return stats === undefined ? undefined : toTargetStat(stats)
    } catch (error) {
      if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return undefined
      throw toTargetError(error)
    }
  }

  async makeDirectory(path: TargetPath, options: { replace: boolean }): Promise<boolean> {
    checkTargetPath(path)
    return attempt(() => this.#makeDirectory(path, options.replace))
  }

  async setDirectoryMetadata(path: TargetPath, metadata: TargetMetadata): Promise<void> {
    checkTargetPath(path)
    attempt(() => this.#metadata().setOpen(this.#open().open(path), metadata))
  }

  async createFile(path: TargetPath, length: number): Promise<TargetFile> {
    checkTargetPath(path)
    return attempt(
      () =>
        new TemporaryFile({
          handles: this.#open(),
          files: this.#files,
          large: this.#large,
          path,
          temporary: [...path.slice(0, -1), this.#temporaryName()],
          length,
          setMetadata: (descriptor, metadata) => this.#metadata().setOpen(descriptor, metadata),
        }),
    )
  }

  async writeFiles(content: Uint8Array, files: readonly WholeFile[]): Promise<readonly (TwofoldError | undefined)[]> {
    const errors = files.map(({ path }) => refusal(path))
    const good = files.flatMap((file, index) => (errors[index] === undefined ? [{ file, index }] : []))
    const batch = packFiles(good.map(({ file }) => file))
    if (this.#threadCount === 0) {
      const results = this.#wholeFiles().write(unpackFiles(content, batch))
      for (const [at, error] of results.entries()) errors[good[at]?.index ?? 0] = error
      freeBytes(content)
    } else {
      for (const { index: at, code, message } of await this.#writers().write(content, batch)) {
        errors[good[at]?.index ?? 0] = new TwofoldError(code, message)
      }
    }
    return errors
  }

  async list(path: TargetPath): Promise<readonly Uint8Array[]> {
    checkTargetPath(path)
    const here = [...path, Buffer.from('.')]
    const names = attempt(() => fs.readdirSync(this.#open().reach(here), { encoding: 'buffer' }))
    const own = [this.#prefix, this.#stale ?? this.#prefix].map((text) => Buffer.from(text))
    return names.filter((name) => {
      const isMark = path.length === 0 && this.#markName?.equals(name) === true
      return !isMark && !own.some((prefix) => name.subarray(0, prefix.length).equals(prefix))
    })
  }

  async remove(path: TargetPath): Promise<void> {
    checkTargetPath(path)
    attempt(() => {
      const reached = this.#open().reach(path)
      const stats = lstatOrNothing(reached)
      if (stats === undefined) return
      if (!stats.isDirectory()) return fs.unlinkSync(reached)
      this.#open().forget(path)
      fs.rmdirSync(this.#open().reach(path))
    })
  }

  async setFileMetadata(path: TargetPath, metadata: TargetMetadata): Promise<void> {
    checkTargetPath(path)
    attempt(() => this.#withFile(path, (descriptor) => this.#metadata().setOpen(descriptor, metadata)))
  }

  async makeSymlink(path: TargetPath, target: Uint8Array, metadata: TargetMetadata): Promise<void> {
    checkTargetPath(path)
    attempt(() =>
      this.#replace(path, (temporary) => {
        fs.symlinkSync(asBuffer(target), temporary)
        this.#metadata().setLink(temporary, metadata)
      }),
    )
  }

  async makeLink(existing: TargetPath, path: TargetPath): Promise<void> {
    checkTargetPath([...existing, ...path])
    const name = [...path.slice(0, -1), this.#temporaryName()]
    attempt(() => {
      // Both directories are needed at once, and opening the second could close the handle of the first.
      const directory = fs.openSync(this.#open().reach(existing.slice(0, -1)), rootFlags | O_NOFOLLOW)
      try {
        const from = childPath(directory, existing.at(-1) as Uint8Array)
        fs.linkSync(from, this.#open().reach(name))
      } finally {
        fs.closeSync(directory)
      }
      this.#moveInto(name, path)
    })
  }

  async readFile(path: TargetPath, into: Uint8Array, offset: number): Promise<number> {
    checkTargetPath(path)
    return attempt(() =>
      this.#withFile(path, (descriptor) => {
        let length = 0
        while (length < into.length) {
          const read = fs.readSync(descriptor, into, length, into.length - length, offset + length)
          if (read === 0) break
          length += read
        }
        return length
      }),
    )
  }

  async close(): Promise<void> {
    await this.#threads?.close()
    this.#threads = undefined
    this.#handles?.close()
    this.#handles = undefined
  }

  get #path(): string | Buffer {
    return typeof this.#directory === 'string' ? this.#directory : asBuffer(this.#directory)
  }

  #shown(): string {
    return this.#path.toString()
  }

  #open(): DirectoryHandles {
    return (this.#handles ??= new DirectoryHandles(fs.openSync(this.#path, rootFlags), restoreDirectoriesOpenMax))
  }

  #metadata(): MetadataSetter {
    if (this.#setter === undefined) throw new TwofoldError('internal', 'a target must be prepared before it is used')
    return this.#setter
  }

  #wholeFiles(): WholeFileWriter {
    return (this.#wholeFileWriter ??= new WholeFileWriter({
      handles: this.#open(),
      metadata: this.#metadata(),
      unnamed: this.#unnamed,
      temporaryName: () => this.#temporaryName(),
    }))
  }

  /** Started when there is something for them to do. */
  #writers(): WritingThreads {
    return (this.#threads ??= new WritingThreads(this.#threadCount, {
      root: this.#open().reach([]).toString(),
      mark: this.#prefix,
      directoriesOpenMax: restoreDirectoriesOpenMax,
    }))
  }

  #temporaryName(): Buffer {
    this.#temporaries += 1
    return Buffer.from(`${this.#prefix}${this.#temporaries}.tmp`)
  }

  get #prefix(): string {
    return `.twofold-${this.#mark}-${this.#run}-`
  }

  /** Removes what an interrupted run left half done in a directory. */
  #removeStale(directory: TargetPath): void {
    const stale = this.#stale
    if (stale === undefined) return
    for (const name of fs.readdirSync(this.#open().reach(directory), 'latin1')) {
      const old = name.startsWith(stale) && !name.startsWith(this.#prefix)
      if (old) fs.rmSync(this.#open().reach([...directory, Buffer.from(name, 'latin1')]), { force: true })
    }
  }

  #makeDirectory(path: TargetPath, replace: boolean): boolean {
    let made = false
    for (let depth = this.#depthOfExisting(path); depth < path.length; depth++) {
      const current = path.slice(0, depth + 1)
      const reached = this.#open().reach(current)
      const stats = lstatOrNothing(reached)
      made = stats?.isDirectory() !== true
      if (!made) {
        this.#open().unlock(current)
        this.#removeStale(current)
        continue
      }
      if (stats !== undefined) {
        if (!replace) throw new TwofoldError('already-exists', 'something that is no directory has the name')
        fs.unlinkSync(reached)
      }
      this.#open().forget(current)
      fs.mkdirSync(reached, 0o700)
    }
    return made
  }

  /** How many names of the path can be relied on: all but the last when the directory above is there. */
  #depthOfExisting(path: TargetPath): number {
    if (path.length < 2) return 0
    try {
      this.#open().open(path.slice(0, -1))
      return path.length - 1
    } catch (error) {
      if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES')) return 0
      throw error
    }
  }

  #withFile<T>(path: TargetPath, work: (descriptor: number) => T): T {
    const descriptor = fs.openSync(this.#open().reach(path), readFlags)
    try {
      if (!fs.fstatSync(descriptor).isFile()) throw new TwofoldError('failed-precondition', 'it is no regular file')
      return work(descriptor)
    } finally {
      fs.closeSync(descriptor)
    }
  }

  #replace(path: TargetPath, make: (temporary: Buffer) => void): void {
    const name = [...path.slice(0, -1), this.#temporaryName()]
    const temporary = this.#open().reach(name)
    try {
      make(temporary)
    } catch (error) {
      fs.rmSync(temporary, { force: true })
      throw error
    }
    this.#moveInto(name, path)
  }

  #moveInto(temporary: TargetPath, path: TargetPath): void {
    const from = this.#open().reach(temporary)
    const to = this.#open().reach(path)
    try {
      fs.renameSync(from, to)
    } finally {
      // Renaming one name of a file over another one does nothing at all, and a refused rename leaves it, too.
      fs.rmSync(from, { force: true })
    }
  }
}

/** Why a path is not restored to, undefined when it may be. */
function refusal(path: TargetPath): TwofoldError | undefined {
  try {
    checkTargetPath(path)
    return undefined
  } catch (error) {
    return toTwofoldError(error)
  }
}

function toTargetStat(stats: fs.BigIntStats): TargetStat {
  const type = stats.isFile()
    ? 'file'
    : stats.isDirectory()
      ? 'directory'
      : stats.isSymbolicLink()
        ? 'symlink'
        : 'other'
  const { mtimeNs, ctimeNs } = stats
  return { type, size: Number(stats.size), mtimeNs, ctimeNs, identity: `${stats.dev}:${stats.ino}` }
}
