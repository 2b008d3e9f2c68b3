import { expect } from 'chai'
import { TwofoldError } from '../../../src/core/errors.ts'
import type { ErrorCode } from '../../../src/core/errors.ts'

/** Runs `action`, which must fail with a TwofoldError of one of the codes, and gives the error back. */
export function expectError(action: () => unknown, ...codes: ErrorCode[]): TwofoldError {
  try {
    action()
  } catch (error) {
    return checkError(error, codes)
  }
  throw new Error(`expected ${codes.join(' or ')}, but nothing was thrown`)
}

export async function expectRejection(promise: Promise<unknown>, ...codes: ErrorCode[]): Promise<TwofoldError> {
  const outcome = await promise.then(
    () => undefined,
    (error: unknown) => ({ error }),
  )
  if (outcome === undefined) throw new Error(`expected ${codes.join(' or ')}, but the promise was fulfilled`)
  return checkError(outcome.error, codes)
}

function checkError(error: unknown, codes: readonly ErrorCode[]): TwofoldError {
  if (!(error instanceof TwofoldError)) throw new Error('not a TwofoldError', { cause: error })
  expect(codes, error.message).to.include(error.code)
  return error
}
