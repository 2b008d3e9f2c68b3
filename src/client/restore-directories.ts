import type { TwofoldError } from '../core/errors.ts'
import { toTwofoldError } from '../core/errors.ts'
import type { TreeEntry } from '../format/tree.ts'
import type { RestoreTarget, TargetPath } from './restore-target.ts'

interface PendingDirectory {
  readonly names: TargetPath
  readonly path: Uint8Array
  readonly entry: TreeEntry
  state: 'pending' | 'made' | 'failed'
  /** Whether it was not there before, so that nothing in it is in the way. */
  isNew: boolean
}

export interface DirectoriesOptions {
  readonly target: RestoreTarget
  readonly replace: boolean
  readonly dryRun: boolean
  readonly onMade: (path: Uint8Array) => void
  readonly onProblem: (path: Uint8Array, error: TwofoldError) => void
}

/**
 * The directories of a restore: made when the first thing in them, or they themselves, are chosen, and finished from
 * the deepest to the root when everything in them is there.
 */
export class RestoreDirectories {
  readonly #options: DirectoriesOptions
  /** From the root to where the walk is. */
  readonly #way: PendingDirectory[] = []
  readonly #made: PendingDirectory[] = []

  constructor(options: DirectoriesOptions) {
    this.#options = options
  }

  /** The walk comes to a directory. */
  enter(directory: { names: TargetPath; path: Uint8Array; entry: TreeEntry }): void {
    this.#leaveTo(directory.names.length - 1)
    this.#way.push({ ...directory, state: 'pending', isNew: false })
  }

  /**
   * Makes the directories that something with `depth` names lies in.
   * @returns false when one of them could not be made, which was reported.
   */
  async ensure(depth: number): Promise<boolean> {
    this.#leaveTo(depth - 1)
    for (const directory of this.#way) {
      if (directory.state === 'pending') await this.#make(directory)
      if (directory.state === 'failed') return false
    }
    return true
  }

  /** Whether the directory in which the walk is, after `ensure`, was made by this restore. */
  get inNew(): boolean {
    return this.#way.at(-1)?.isNew === true
  }

  /** Sets the metadata of all that were made. */
  async finish(): Promise<void> {
    if (this.#options.dryRun) return
    for (const { names, path, entry } of this.#made.toReversed()) {
      await this.#guarded(path, () => this.#options.target.setDirectoryMetadata(names, entry))
    }
  }

  async #make(directory: PendingDirectory): Promise<void> {
    const { target, replace, dryRun, onMade } = this.#options
    const { names, path } = directory
    const make = async (): Promise<void> => {
      directory.isNew = await target.makeDirectory(names, { replace })
    }
    const good = dryRun || (await this.#guarded(path, make))
    directory.state = good ? 'made' : 'failed'
    if (!good) return
    this.#made.push(directory)
    onMade(path)
  }

  async #guarded(path: Uint8Array, work: () => Promise<void>): Promise<boolean> {
    try {
      await work()
      return true
    } catch (error) {
      const problem = toTwofoldError(error)
      if (problem.code === 'no-room' || problem.code === 'internal') throw error
      this.#options.onProblem(path, problem)
      return false
    }
  }

  #leaveTo(depth: number): void {
    if (this.#way.length > depth) this.#way.length = depth
  }
}
