import * as fs from 'node:fs'
import { TwofoldError } from '../core/errors.ts'
import { restoreOpenFilesMax } from '../core/limits.ts'
import type { DirectoryHandles } from './directory-handles.ts'
import { writeThrough } from './large-writes.ts'
import type { LargeWrites } from './large-writes.ts'
import type { TargetFile, TargetMetadata, TargetPath } from './restore-target.ts'
import { attempt, toTargetError } from './target-error.ts'

/** Shorter slices have too few whole blocks for a way around the cache. */
const largeSliceBytes = 256 * 1024
const { O_CREAT, O_DIRECT, O_EXCL, O_NOFOLLOW, O_WRONLY } = fs.constants

/** The files that are open for writing; the least recently used is closed when there are too many. */
export class OpenFiles {
  readonly #idle = new Set<TemporaryFile>()

  used(file: TemporaryFile): void {
    this.#idle.delete(file)
    this.#idle.add(file)
    if (this.#idle.size <= restoreOpenFilesMax) return
    const oldest = this.#idle.values().next().value as TemporaryFile
    this.#idle.delete(oldest)
    oldest.rest()
  }

  busy(file: TemporaryFile): void {
    this.#idle.delete(file)
  }
}

export interface TemporaryFileOptions {
  readonly handles: DirectoryHandles
  readonly files: OpenFiles
  readonly large: LargeWrites
  /** The final name. */
  readonly path: TargetPath
  /** The name until then, in the same directory. */
  readonly temporary: TargetPath
  readonly length: number
  readonly setMetadata: (descriptor: number, metadata: TargetMetadata) => void
}

/** A file that has a temporary name until it is whole. Its descriptor may be closed and opened again in between. */
export class TemporaryFile implements TargetFile {
  readonly #options: TemporaryFileOptions
  /** Known once it was closed in between. */
  #inode: bigint | undefined
  /** Where what was written ends. */
  #end = 0
  #descriptor: number | undefined
  /** The same file around the system's cache. */
  #direct: number | undefined
  #over = false

  /** @throws the system's error. */
  constructor(options: TemporaryFileOptions) {
    this.#options = options
    const { handles, temporary, files } = options
    this.#descriptor = fs.openSync(handles.reach(temporary), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
    files.used(this)
  }

  async write(data: Uint8Array, offset: number): Promise<void> {
    const { files, large } = this.#options
    const descriptor = attempt(() => this.#reopen())
    files.busy(this)
    try {
      if (data.length < largeSliceBytes) await writeThrough(descriptor, data, offset)
      else await large.write({ cached: descriptor, direct: () => this.#openDirect(descriptor) }, data, offset)
      this.#end = Math.max(this.#end, offset + data.length)
    } catch (error) {
      throw toTargetError(error)
    } finally {
      files.used(this)
    }
  }

  async commit(metadata: TargetMetadata): Promise<void> {
    const { handles, path, temporary, length, setMetadata } = this.#options
    attempt(() => {
      try {
        const descriptor = this.#reopen()
        if (this.#end < length) fs.ftruncateSync(descriptor, length)
        setMetadata(descriptor, metadata)
        this.#close()
        fs.renameSync(handles.reach(temporary), handles.reach(path))
        this.#over = true
      } catch (error) {
        this.#drop()
        throw error
      }
    })
  }

  async discard(): Promise<void> {
    if (!this.#over) attempt(() => this.#drop())
  }

  /** Closes the descriptor until it is needed again. */
  rest(): void {
    if (this.#descriptor !== undefined) this.#inode ??= inodeOf(this.#descriptor)
    this.#shut()
  }

  #reopen(): number {
    const { handles, temporary, files } = this.#options
    if (this.#descriptor === undefined) {
      const descriptor = fs.openSync(handles.reach(temporary), O_WRONLY | O_NOFOLLOW)
      this.#descriptor = descriptor
      if (inodeOf(descriptor) !== this.#inode) {
        this.rest()
        throw new TwofoldError('failed-precondition', 'the temporary file was replaced by somebody else')
      }
    }
    files.used(this)
    return this.#descriptor
  }

  #openDirect(descriptor: number): number | undefined {
    if (this.#direct !== undefined) return this.#direct
    // Around the cache, a write that makes a file longer keeps all others waiting.
    fs.ftruncateSync(descriptor, Math.max(this.#end, this.#options.length))
    try {
      this.#direct = fs.openSync(`/proc/self/fd/${descriptor}`, O_WRONLY | O_DIRECT)
    } catch {
      // Whatever the reason, there is the other way.
      return undefined
    }
    return this.#direct
  }

  #close(): void {
    this.#options.files.busy(this)
    this.#shut()
  }

  #shut(): void {
    for (const descriptor of [this.#direct, this.#descriptor]) if (descriptor !== undefined) fs.closeSync(descriptor)
    this.#direct = this.#descriptor = undefined
  }

  #drop(): void {
    this.#over = true
    this.#close()
    fs.rmSync(this.#options.handles.reach(this.#options.temporary), { force: true })
  }
}

function inodeOf(descriptor: number): bigint {
  return fs.fstatSync(descriptor, { bigint: true }).ino
}
