import * as fs from 'node:fs'
import { constants } from 'node:os'
import { atCurrentDirectory, loadForeignFunctions } from './foreign-functions.ts'
import type { ForeignFunctions } from './foreign-functions.ts'
import { isErrno } from './target-error.ts'

/** Linux's flag for a file without a name; Node has no constant for it. */
const O_TMPFILE = 0o20000000 | fs.constants.O_DIRECTORY
const followLink = 0x400

/**
 * Files that have no name until they get their final one: whoever dies in between leaves nothing behind. The system
 * calls are there on Linux with `koffi`, and not on every file system.
 */
export class UnnamedFiles {
  readonly #linkat: (...args: unknown[]) => number
  readonly #foreign: ForeignFunctions

  constructor(foreign: ForeignFunctions) {
    this.#foreign = foreign
    const prototype = 'int linkat(int from, const char *old, int to, const uint8_t *new, int flags)'
    this.#linkat = foreign.load(null).func(prototype)
  }

  /**
   * Opens a new file in a directory that is open, for writing and for this user alone.
   * @returns its descriptor, undefined where the file system has no such files. @throws the system's other errors.
   */
  open(directory: number): number | undefined {
    try {
      return fs.openSync(`/proc/self/fd/${directory}/.`, fs.constants.O_WRONLY | O_TMPFILE, 0o600)
    } catch (error) {
      if (isErrno(error, 'EOPNOTSUPP', 'EISDIR', 'EINVAL')) return undefined
      throw error
    }
  }

  /** Gives it a name. Nothing is replaced: `taken` when something has it. `refused` is all that else went wrong. */
  name(descriptor: number, directory: number, name: Uint8Array): 'named' | 'taken' | 'refused' {
    const terminated = Buffer.concat([name, Buffer.alloc(1)])
    const from = `/proc/self/fd/${descriptor}`
    if (this.#linkat(atCurrentDirectory, from, directory, terminated, followLink) === 0) return 'named'
    return this.#foreign.errno() === constants.errno.EEXIST ? 'taken' : 'refused'
  }
}

export async function loadUnnamedFiles(): Promise<UnnamedFiles | undefined> {
  const foreign = await loadForeignFunctions()
  return foreign === undefined ? undefined : new UnnamedFiles(foreign)
}
