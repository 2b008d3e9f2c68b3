/** Paths as bytes, `/` between their parts. */
import { isolate, safePath } from '../core/safe-text.ts'
import { isWithin } from '../core/within-folder.ts'

const slash = 0x2f

export function joinBytes(folder: Uint8Array, name: Uint8Array): Uint8Array {
  return folder.length === 1 ? Buffer.concat([folder, name]) : Buffer.concat([folder, Buffer.from('/'), name])
}

/** The folder that something is in; of `/` that is `/`. */
export function parentPath(path: Uint8Array): Uint8Array {
  const at = Buffer.from(path).lastIndexOf(slash)
  return at <= 0 ? Buffer.from('/') : path.subarray(0, at)
}

/** The deepest folder that has all of the paths in it. */
export function commonFolder(paths: readonly Uint8Array[]): Uint8Array {
  let folder = paths[0] === undefined ? Buffer.from('/') : parentPath(paths[0])
  while (!paths.every((path) => isWithin(path, folder))) folder = parentPath(folder)
  return folder
}

export function lastName(path: Uint8Array): Uint8Array {
  return path.subarray(Buffer.from(path).lastIndexOf(slash) + 1)
}

/** A path as a key of a map. */
export function pathKey(path: Uint8Array): string {
  return Buffer.from(path).toString('latin1')
}

/** A name or path for the terminal. */
export function shownBytes(path: Uint8Array): string {
  return isolate(safePath(path))
}
