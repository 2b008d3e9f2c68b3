import ignore from 'ignore'
import type { Ignore } from 'ignore'
import { matchablePath, pathsPerMatcher } from './excludes.ts'
import type { SourceType } from './source-tree.ts'

export const ignoreFileName = '.twofoldignore'

/** What ignore files say of what lies below a directory: the rules of those above it, then its own. */
export class IgnoreRules {
  readonly #above: IgnoreRules | undefined
  /** Length of the directory's path with a slash behind it. */
  readonly #from: number
  readonly #text: string
  #matcher: Ignore
  #asked = 0

  /** @param text in the manner of `.gitignore`; a slash at the beginning or within a pattern binds it to `directory` */
  constructor(directory: Uint8Array, text: string, above: IgnoreRules | undefined) {
    this.#above = above
    this.#from = directory.length === 1 ? 1 : directory.length + 1
    this.#text = text
    this.#matcher = create(text)
  }

  /** Whether it is to be left out; the nearest file that says anything of it decides. */
  ignores(path: Uint8Array, type: SourceType): boolean {
    // The library remembers every path that it was asked about; a fresh one now and then bounds that.
    if (++this.#asked % pathsPerMatcher === 0) this.#matcher = create(this.#text)
    const { ignored, unignored } = this.#matcher.test(matchablePath(path, type, this.#from))
    return ignored || (!unignored && this.#above?.ignores(path, type) === true)
  }
}

function create(text: string): Ignore {
  return ignore({ ignoreCase: false, allowRelativePaths: true }).add(text)
}
