import { TwofoldError } from '../core/errors.ts'
import type { ErrorCode } from '../core/errors.ts'

/** What a failure of the file system is called; whatever is not named here is `io`. */
const codes: Readonly<Record<string, ErrorCode>> = {
  ENOENT: 'not-found',
  EEXIST: 'already-exists',
  ENOSPC: 'no-room',
  EDQUOT: 'no-room',
}

const explanations: Partial<Record<ErrorCode, string>> = {
  'not-found': 'it does not exist',
  'already-exists': 'it exists already',
  'no-room': 'the disk is full',
}

/** The file system's error as one of ours, with the original as its cause. `doing` says what failed: `read x.pack`. */
export function classify(error: unknown, doing: string): TwofoldError {
  if (error instanceof TwofoldError) return error
  const system = (error as NodeJS.ErrnoException | undefined)?.code ?? 'unknown error'
  const code = codes[system] ?? 'io'
  return new TwofoldError(code, `cannot ${doing}: ${explanations[code] ?? system}`, { cause: error })
}

/** Runs `work` and classifies what it throws. */
export async function classified<T>(doing: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw classify(error, doing)
  }
}
