import * as fs from 'node:fs'
import { TwofoldError } from '../core/errors.ts'
import { SourceDisk } from './source-disk.ts'
import type { PackedListing } from './packed-listing.ts'
import type { SmallRead, SourceFile, SourceStat } from './source-tree.ts'

const directoryFlags = fs.constants.O_RDONLY | fs.constants.O_DIRECTORY | fs.constants.O_NOFOLLOW
const descriptors = '/proc/self/fd'

/**
 * The file systems of this machine, for paths that somebody else may change meanwhile: every directory is opened first
 * and asked where it is, and nothing is reached but through it. So a directory that is swapped for a symbolic link, at
 * whatever moment, leads nowhere, and what is below a path is really there.
 */
export class SourceConfined extends SourceDisk {
  override stat(path: Uint8Array, options: { follow?: boolean } = {}): Promise<SourceStat> {
    return inParent(path, (reached) => super.stat(reached, options))
  }

  override list(path: Uint8Array): Promise<PackedListing> {
    return inDirectory(path, (reached) => super.list(reached))
  }

  override readLink(path: Uint8Array): Promise<Uint8Array> {
    return inParent(path, (reached) => super.readLink(reached))
  }

  override readSmall(path: Uint8Array, target: Uint8Array): Promise<SmallRead> {
    return inParent(path, (reached) => super.readSmall(reached, target))
  }

  override open(path: Uint8Array): Promise<SourceFile> {
    return inParent(path, (reached) => super.open(reached))
  }
}

function inParent<T>(path: Uint8Array, work: (reached: Buffer) => Promise<T>): Promise<T> {
  const cut = Buffer.from(path).lastIndexOf('/')
  const name = path.subarray(cut + 1)
  return inDirectory(path.subarray(0, Math.max(1, cut)), (reached) => {
    return work(Buffer.concat([reached, Buffer.from('/'), name.length === 0 ? Buffer.from('.') : name]))
  })
}

async function inDirectory<T>(path: Uint8Array, work: (reached: Buffer) => Promise<T>): Promise<T> {
  const descriptor = openDirectory(path)
  try {
    requirePlace(descriptor, path)
    return await work(Buffer.from(`${descriptors}/${descriptor}`))
  } finally {
    fs.closeSync(descriptor)
  }
}

function openDirectory(path: Uint8Array): number {
  try {
    return fs.openSync(Buffer.from(path), directoryFlags)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ELOOP' || (code === 'ENOTDIR' && isLink(path))) throw elsewhere(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') throw new TwofoldError('not-found', 'it vanished', { cause: error })
    throw new TwofoldError('io', `its folder cannot be opened (${code ?? 'unknown'})`, { cause: error })
  }
}

function isLink(path: Uint8Array): boolean {
  try {
    fs.readlinkSync(Buffer.from(path))
    return true
  } catch (error) {
    // Something else, or gone: only the words of the failure depend on it.
    if ((error as NodeJS.ErrnoException).code !== undefined) return false
    throw error
  }
}

/** Whether no part of the path was a symbolic link when it was opened. */
function requirePlace(descriptor: number, path: Uint8Array): void {
  const place = fs.readlinkSync(`${descriptors}/${descriptor}`, { encoding: 'buffer' })
  if (!place.equals(path)) throw elsewhere()
}

function elsewhere(cause?: unknown): TwofoldError {
  return new TwofoldError('io', 'its folder was replaced by a symbolic link, or moved, and is not followed', { cause })
}
