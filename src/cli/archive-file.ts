import { lstatSync, constants } from 'node:fs'
import { link, open, rename, unlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { TwofoldError } from '../core/errors.ts'
import { draftName, removeLeftDrafts } from './archive-drafts.ts'

export interface ArchiveFileOptions {
  /** Whether a file that is there may be replaced. */
  readonly force: boolean
  /** For the temporary name. */
  readonly mark: string
}

/**
 * Writes a file that has its name only when it is whole: until then it has a temporary one beside it, which goes when
 * anything fails; that of a process that was killed goes when the same file is written again. Without `force`
 * nothing is ever replaced, whoever makes a file of that name meanwhile.
 * @returns how many bytes it has
 * @throws TwofoldError `already-exists`, `invalid-argument` for a folder, `no-room`, `io`, and what `content` throws
 */
export async function writeArchiveFile(
  path: string,
  content: () => Promise<AsyncIterable<Uint8Array>>,
  options: ArchiveFileOptions,
): Promise<number> {
  requireTarget(path, options.force)
  await system(path, () => removeLeftDrafts(path))
  const draft = join(dirname(path), draftName(basename(path), options.mark))
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW
  const file = await system(path, () => open(draft, flags, 0o666))
  let bytes = 0
  try {
    try {
      for await (const slice of await content()) {
        await system(path, () => writeAll(file, slice))
        bytes += slice.length
      }
      await system(path, () => file.sync())
    } finally {
      await system(path, () => file.close())
    }
    // A link fails where the name is taken, also since it was looked for; a rename would replace what has it.
    if (options.force) await system(path, () => rename(draft, path))
    else await system(path, () => link(draft, path))
  } finally {
    await unlink(draft).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw toTargetError(path, error)
    })
  }
  return bytes
}

async function writeAll(file: Awaited<ReturnType<typeof open>>, slice: Uint8Array): Promise<void> {
  for (let at = 0; at < slice.length;) at += (await file.write(slice, at)).bytesWritten
}

function requireTarget(path: string, force: boolean): void {
  const stat = lstatSync(path, { throwIfNoEntry: false })
  if (stat === undefined) return
  if (stat.isDirectory()) {
    throw new TwofoldError('invalid-argument', `${path} is a folder: name a file in it`)
  }
  if (!stat.isFile() && !stat.isSymbolicLink()) {
    throw new TwofoldError('invalid-argument', `${path} is no file; "-" writes to stdout`)
  }
  if (!force) throw exists(path)
}

function exists(path: string): TwofoldError {
  return new TwofoldError('already-exists', `${path} exists already; name another file, or replace it with --force`)
}

async function system<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw toTargetError(path, error)
  }
}

function toTargetError(path: string, error: unknown): unknown {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined
  if (error instanceof TwofoldError || code === undefined) return error
  const options = { cause: error }
  if (code === 'EEXIST') return exists(path)
  if (code === 'EISDIR') return new TwofoldError('invalid-argument', `${path} is a folder: name a file in it`, options)
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new TwofoldError('no-room', `the disk of ${path} is full; nothing of the archive is left on it`, options)
  }
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return new TwofoldError('not-found', `the folder of ${path} is not there; make it first`, options)
  }
  return new TwofoldError('io', `${path} cannot be written (${code}); nothing of the archive is left there`, options)
}
