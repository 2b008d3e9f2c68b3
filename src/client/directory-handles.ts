import * as fs from 'node:fs'
import { asBuffer } from '../core/ids.ts'
import type { TargetPath } from './restore-target.ts'
import { isErrno } from './target-error.ts'

/** For a root, which may be reached through a symbolic link. */
export const rootFlags = fs.constants.O_RDONLY | fs.constants.O_DIRECTORY
const openFlags = rootFlags | fs.constants.O_NOFOLLOW
/** Linux's flag for a handle that only names a file; Node has no constant for it. */
const pathOnly = 0o10000000

/**
 * Open directories below a root. Each is opened from its parent's handle without following links, so that a path below
 * the root cannot lead outside of it, even if a directory is swapped for a symbolic link between two calls. At most
 * `limit` are open; the ones used least recently are closed.
 *
 * Everything is synchronous: a handle is good until the next call.
 */
export class DirectoryHandles {
  readonly #root: number
  readonly #limit: number
  readonly #open = new Map<string, number>()

  /** @param root an open directory; it is closed by `close`. */
  constructor(root: number, limit: number) {
    this.#root = root
    this.#limit = limit
  }

  /** @throws the system's error, ENOTDIR or ELOOP when something else than a directory is on the way. */
  open(path: TargetPath): number {
    if (path.length === 0) return this.#root
    const key = keyOf(path)
    const known = this.#open.get(key)
    if (known !== undefined) {
      this.#open.delete(key)
      this.#open.set(key, known)
      return known
    }
    const parent = this.#openParent(path)
    const opened = fs.openSync(childPath(parent, path.at(-1) as Uint8Array), openFlags)
    this.#keep(key, opened)
    return opened
  }

  /** The path under which an entry can be reached in one system call, whatever happens to the directories above it. */
  reach(path: TargetPath): Buffer {
    const name = path.at(-1)
    if (name === undefined) return Buffer.from(`/proc/self/fd/${this.#root}/.`)
    return childPath(this.open(path.slice(0, -1)), name)
  }

  /** Lets this user work in a directory of theirs whose permissions would not. */
  unlock(path: TargetPath): void {
    const descriptor = fs.openSync(this.reach(path), pathOnly | openFlags)
    try {
      const mode = fs.fstatSync(descriptor).mode & 0o7777
      if ((mode & 0o700) !== 0o700) fs.chmodSync(`/proc/self/fd/${descriptor}`, mode | 0o700)
    } finally {
      fs.closeSync(descriptor)
    }
  }

  /** Forgets a directory that is gone, and what was below it. */
  forget(path: TargetPath): void {
    const key = keyOf(path)
    for (const [other, descriptor] of this.#open) {
      if (other !== key && !other.startsWith(`${key}/`)) continue
      fs.closeSync(descriptor)
      this.#open.delete(other)
    }
  }

  close(): void {
    for (const descriptor of this.#open.values()) fs.closeSync(descriptor)
    this.#open.clear()
    fs.closeSync(this.#root)
  }

  /** Goes down from the nearest open directory, not by recursion: a path may have thousands of names. */
  #openParent(path: TargetPath): number {
    const keys = prefixKeys(path)
    let depth = path.length - 1
    while (depth > 0 && !this.#open.has(keys[depth] as string)) depth -= 1
    let current = depth === 0 ? this.#root : (this.#open.get(keys[depth] as string) as number)
    for (; depth < path.length - 1; depth++) {
      current = fs.openSync(childPath(current, path[depth] as Uint8Array), openFlags)
      this.#keep(keys[depth + 1] as string, current)
    }
    return current
  }

  #keep(key: string, descriptor: number): void {
    this.#open.set(key, descriptor)
    if (this.#open.size <= this.#limit) return
    const [oldest, unused] = this.#open.entries().next().value as [string, number]
    this.#open.delete(oldest)
    fs.closeSync(unused)
  }
}

/** What `path` is, or undefined when nothing has the name. */
export function lstatOrNothing(path: Buffer): fs.BigIntStats | undefined {
  try {
    return fs.lstatSync(path, { bigint: true })
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined
    throw error
  }
}

export function childPath(directory: number, name: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`/proc/self/fd/${directory}/`), name])
}

/** The keys of a path's beginnings, by their number of names. */
function prefixKeys(path: TargetPath): string[] {
  const key = keyOf(path)
  const keys = ['']
  let end = -1
  for (const name of path) keys.push(key.slice(0, (end += 1 + name.length)))
  return keys
}

function keyOf(path: TargetPath): string {
  return path.map((name) => asBuffer(name).toString('latin1')).join('/')
}

/** Node's own recursive way never ends where the system answers ENOENT below a directory that exists, as in `/proc`. */
export function makeWithParents(directory: Buffer): void {
  const missing: Buffer[] = []
  for (let path = directory; path.length > 0 && !fs.existsSync(path);) {
    missing.push(path)
    path = path.subarray(0, Math.max(0, path.lastIndexOf(0x2f)))
  }
  for (const path of missing.reverse()) {
    try {
      fs.mkdirSync(path)
    } catch (error) {
      // `a//b` and a dangling link make a name occur twice; what is no directory is noticed when it is opened.
      if (!isErrno(error, 'EEXIST')) throw error
    }
  }
}
