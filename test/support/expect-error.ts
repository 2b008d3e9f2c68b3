import { inspect } from 'node:util'
import { expect } from 'chai'
import { TwofoldError } from '../../src/core/errors.ts'
import type { ErrorCode } from '../../src/core/errors.ts'

/** The error that `work` ends with, which must be a `TwofoldError` of one of the codes. */
export async function expectError(work: Promise<unknown>, ...codes: ErrorCode[]): Promise<TwofoldError> {
  let value: unknown
  try {
    value = await work
  } catch (error) {
    return checked(error, codes)
  }
  throw missed(value, codes)
}

/** The same for what throws at once. */
export function expectThrow(action: () => unknown, ...codes: ErrorCode[]): TwofoldError {
  let value: unknown
  try {
    value = action()
  } catch (error) {
    return checked(error, codes)
  }
  throw missed(value, codes)
}

/** The code of what `action` throws; undefined when it throws nothing. */
export function codeThrown(action: () => unknown): ErrorCode | undefined {
  try {
    action()
    return undefined
  } catch (error) {
    if (error instanceof TwofoldError) return error.code
    throw error
  }
}

function checked(error: unknown, codes: readonly ErrorCode[]): TwofoldError {
  if (!(error instanceof TwofoldError)) throw error
  expect(codes, error.message).to.include(error.code)
  return error
}

function missed(value: unknown, codes: readonly ErrorCode[]): Error {
  return new Error(`it should have failed with ${codes.join(' or ')}, but gave ${inspect(value, { depth: 1 })}`)
}
