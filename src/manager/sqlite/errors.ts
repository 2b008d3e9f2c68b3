import { TwofoldError } from '../../core/errors.ts'

const busy = 5
const diskFull = 13
/** SQLITE_READONLY, IOERR, CORRUPT, CANTOPEN, NOTADB. */
const broken = new Set([8, 10, 11, 14, 26])

/** The contract's error for a failure of SQLite; anything else as it is. */
export function toStoreError(error: unknown): unknown {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return error
  // The low byte is the primary code; the rest says more, for logs.
  const primary = error.errcode & 0xff
  if (primary === diskFull) {
    return new TwofoldError('no-room', "the manager's disk is full; free some space there", { cause: error })
  }
  if (primary === busy) {
    return new TwofoldError('unavailable', 'another program has the catalogue locked', { cause: error })
  }
  if (broken.has(primary)) {
    return new TwofoldError('io', "the catalogue cannot be read or written; check the manager's disk", { cause: error })
  }
  return error
}
