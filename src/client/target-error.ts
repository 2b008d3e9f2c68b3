import { TwofoldError } from '../core/errors.ts'
import type { ErrorCode } from '../core/errors.ts'

const codes: Readonly<Record<string, ErrorCode>> = {
  ENOENT: 'not-found',
  ENOSPC: 'no-room',
  EDQUOT: 'no-room',
  // Something else took the place of a directory, or a directory the place of a file.
  ENOTDIR: 'failed-precondition',
  ELOOP: 'failed-precondition',
  EISDIR: 'failed-precondition',
  ENOTEMPTY: 'failed-precondition',
}

const words: Readonly<Record<string, string>> = {
  ENOSPC: 'no space is left on the target',
  EDQUOT: 'the disk quota of the target is used up',
  ENOTDIR: 'something that is no directory is in the place of a directory',
  ELOOP: 'a symbolic link is in the place of a file or directory',
  EISDIR: 'a directory has the name',
  ENOTEMPTY: 'a directory has the name',
}

/** The system's error as one of ours; what is no system error stays as it is. */
export function toTargetError(error: unknown): unknown {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined
  if (error instanceof TwofoldError || !(error instanceof Error) || code === undefined) return error
  const said = words[code] ?? /^[A-Z0-9]+: (.*?),/.exec(error.message)?.[1] ?? error.message
  return new TwofoldError(codes[code] ?? 'io', `${said} (${code})`, { cause: error })
}

/** Runs `work`, with the system's errors as ours. */
export function attempt<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw toTargetError(error)
  }
}

export function isErrno(error: unknown, ...wanted: string[]): boolean {
  return error instanceof Error && wanted.includes((error as NodeJS.ErrnoException).code ?? '')
}
