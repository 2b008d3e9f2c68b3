import * as fs from 'node:fs'
import { toTwofoldError } from '../core/errors.ts'
import type { TwofoldError } from '../core/errors.ts'
import { childPath } from './directory-handles.ts'
import type { DirectoryHandles } from './directory-handles.ts'
import type { MetadataSetter } from './metadata-setter.ts'
import type { TargetMetadata, TargetPath } from './restore-target.ts'
import { toTargetError } from './target-error.ts'
import type { UnnamedFiles } from './unnamed-files.ts'

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = fs.constants

/** A file as this writer takes it. Files of one directory that follow each other share its list of names. */
export interface PlacedFile {
  readonly directory: TargetPath
  readonly name: Uint8Array
  readonly data: Uint8Array
  readonly metadata: TargetMetadata
}

export interface WholeFileWriterOptions {
  readonly handles: DirectoryHandles
  readonly metadata: MetadataSetter
  /** Undefined where there are none: files then have a temporary name first. */
  readonly unnamed: UnnamedFiles | undefined
  readonly temporaryName: () => Uint8Array
}

/** Writes files of which all content is there, with as few system calls as there can be, all of them synchronous. */
export class WholeFileWriter {
  readonly #options: WholeFileWriterOptions
  #unnamed: UnnamedFiles | undefined

  constructor(options: WholeFileWriterOptions) {
    this.#options = options
    this.#unnamed = options.unnamed
  }

  /** @returns for each file why it could not be written, undefined if it was. */
  write(files: Iterable<PlacedFile>): (TwofoldError | undefined)[] {
    const results: (TwofoldError | undefined)[] = []
    let last: { readonly names: TargetPath; readonly handle: number } | undefined
    for (const file of files) {
      try {
        // Nothing else opens directories in between, so the handle stays good.
        if (last?.names !== file.directory) {
          last = { names: file.directory, handle: this.#options.handles.open(file.directory) }
        }
        this.#write(file, last.handle)
        results.push(undefined)
      } catch (error) {
        results.push(toTwofoldError(toTargetError(error)))
      }
    }
    return results
  }

  #write(file: PlacedFile, directory: number): void {
    if (this.#unnamed !== undefined && this.#writeUnnamed(file, directory, this.#unnamed)) return
    const temporary = childPath(directory, this.#options.temporaryName())
    const descriptor = fs.openSync(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
    try {
      this.#fill(descriptor, file)
      fs.renameSync(temporary, childPath(directory, file.name))
    } catch (error) {
      fs.rmSync(temporary, { force: true })
      throw error
    } finally {
      fs.closeSync(descriptor)
    }
  }

  /** @returns false when that does not work here; it is then not tried again. */
  #writeUnnamed(file: PlacedFile, directory: number, unnamed: UnnamedFiles): boolean {
    const descriptor = unnamed.open(directory)
    let outcome: ReturnType<UnnamedFiles['name']> = 'refused'
    try {
      if (descriptor !== undefined) {
        this.#fill(descriptor, file)
        outcome = unnamed.name(descriptor, directory, file.name)
        if (outcome === 'taken') outcome = this.#replace(descriptor, directory, { file, unnamed })
      }
    } finally {
      if (descriptor !== undefined) fs.closeSync(descriptor)
    }
    if (outcome !== 'named') this.#unnamed = undefined
    return outcome === 'named'
  }

  /** Only a rename replaces what has a name, and only a file with a name can be renamed. */
  #replace(
    descriptor: number,
    directory: number,
    { file, unnamed }: { file: PlacedFile; unnamed: UnnamedFiles },
  ): ReturnType<UnnamedFiles['name']> {
    const name = this.#options.temporaryName()
    const outcome = unnamed.name(descriptor, directory, name)
    if (outcome !== 'named') return outcome
    const temporary = childPath(directory, name)
    try {
      fs.renameSync(temporary, childPath(directory, file.name))
    } catch (error) {
      fs.rmSync(temporary, { force: true })
      throw error
    }
    return 'named'
  }

  #fill(descriptor: number, { data, metadata }: PlacedFile): void {
    for (let done = 0; done < data.length;) done += fs.writeSync(descriptor, data, done, data.length - done, done)
    this.#options.metadata.setOpen(descriptor, metadata)
  }
}
