import { TwofoldError } from '../core/errors.ts'
import { fileNameBytesMax, lookupIdsMax } from '../core/limits.ts'

/** @throws TwofoldError `invalid-argument` */
export function requireText(what: string, value: string, charactersMax: number): void {
  if (value !== '' && value.length <= charactersMax) return
  throw new TwofoldError('invalid-argument', `${what} must have 1 to ${charactersMax} characters`)
}

/** @throws TwofoldError `invalid-argument` */
export function requireFileName(name: string): void {
  if (name !== '' && !name.includes('\0') && Buffer.byteLength(name) <= fileNameBytesMax) return
  throw new TwofoldError('invalid-argument', `a file's name must have 1 to ${fileNameBytesMax} bytes and no NUL`)
}

/** @throws TwofoldError `invalid-argument` */
export function requireLookupSize(ids: readonly unknown[]): void {
  if (ids.length <= lookupIdsMax) return
  throw new TwofoldError('invalid-argument', `at most ${lookupIdsMax} chunk ids a call, not ${ids.length}`)
}
