import { isTwofoldError } from '../../src/core/errors.ts'
import type { ErrorCode, TwofoldError } from '../../src/core/errors.ts'

/** The error that `work` ends with. Anything but a `TwofoldError` of that code fails the test. */
export async function expectFailure(work: Promise<unknown>, code: ErrorCode): Promise<TwofoldError> {
  try {
    await work
  } catch (error) {
    if (isTwofoldError(error, code)) return error
    throw error
  }
  throw new Error(`it should have failed with ${code}`)
}
