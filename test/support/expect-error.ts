import { expect } from 'chai'
import { TwofoldError } from '../../src/core/errors.ts'
import type { ErrorCode } from '../../src/core/errors.ts'

/** Waits for `promise` to fail with this code, and hands the error on. */
export async function expectError(promise: Promise<unknown>, code: ErrorCode): Promise<TwofoldError> {
  const error = await promise.then(
    (value) => new Error(`it did not fail, but gave ${JSON.stringify(value)}`),
    (reason: unknown) => reason,
  )
  if (!(error instanceof TwofoldError)) throw error
  expect(error.code, error.message).to.equal(code)
  return error
}
