import { TwofoldError } from '../core/errors.ts'
import type { MessageFns } from '../gen/twofold/v1/format.ts'

/**
 * Decodes a stored protobuf message. Byte fields share memory with `bytes`.
 * @throws TwofoldError `integrity` when it is malformed.
 */
export function decodeStored<T>(message: Pick<MessageFns<T>, 'decode'>, bytes: Uint8Array, what: string): T {
  try {
    return message.decode(bytes)
  } catch (error) {
    throw new TwofoldError('integrity', `${what} is malformed`, { cause: error })
  }
}

/** @throws TwofoldError `integrity` when the value does not fit a JavaScript number exactly. */
export function toSafeNumber(value: bigint, what: string): number {
  if (value < 0n || value > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new TwofoldError('integrity', `${what} is out of range: ${value}`)
  }
  return Number(value)
}
