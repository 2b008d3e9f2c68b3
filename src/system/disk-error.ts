import { TwofoldError } from '../core/errors.ts'
import type { ErrorCode } from '../core/errors.ts'

interface Kind {
  readonly code: ErrorCode
  /** What a person reads, and can do. */
  readonly meaning: string
}

const scarce = 'it is refused for the moment and tried again; raise the limit if this goes on'

/** What each failure of the file system means; whatever is not named here is `io`. */
const kinds: Readonly<Record<string, Kind>> = {
  ENOENT: { code: 'not-found', meaning: 'it does not exist' },
  EEXIST: { code: 'already-exists', meaning: 'it exists already' },
  ENOSPC: { code: 'no-room', meaning: 'the disk is full' },
  EDQUOT: { code: 'no-room', meaning: "this user's quota of the disk is used up" },
  EMFILE: { code: 'overloaded', meaning: `this process has too many open files (EMFILE); ${scarce}` },
  ENFILE: { code: 'overloaded', meaning: `the system has too many open files (ENFILE); ${scarce}` },
  ENOMEM: { code: 'overloaded', meaning: `the system has no memory left (ENOMEM); ${scarce}` },
  EIO: { code: 'io', meaning: 'the disk failed (EIO); check it, and replace it if this happens again' },
  EROFS: { code: 'io', meaning: 'the file system is read-only (EROFS); check the disk, then mount it for writing' },
  EACCES: { code: 'io', meaning: 'this user may not (EACCES); give the data directory back to it' },
  EPERM: { code: 'io', meaning: 'this user may not (EPERM); give the data directory back to it' },
}

/** How long to wait before a refusal for lack of files or memory is tried again, in milliseconds. */
const scarceRetryMs = 500

/** The file system's error as one of ours, with the original as its cause. `doing` says what failed: `read x.pack`. */
export function classify(error: unknown, doing: string): TwofoldError {
  if (error instanceof TwofoldError) return error
  const system = (error as NodeJS.ErrnoException | undefined)?.code ?? 'unknown error'
  const { code, meaning } = kinds[system] ?? { code: 'io', meaning: system }
  const retry = code === 'overloaded' ? { retryAfterMs: scarceRetryMs } : {}
  return new TwofoldError(code, `cannot ${doing}: ${meaning}`, { cause: error, ...retry })
}

/** Runs `work` and classifies what it throws. */
export async function classified<T>(doing: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw classify(error, doing)
  }
}
