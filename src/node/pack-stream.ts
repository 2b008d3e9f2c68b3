import { TwofoldError } from '../core/errors.ts'
import { freeBytes } from '../core/free-bytes.ts'

/** A message of a stream that is a header first and slices from then on. */
export interface PackMessage<Header> {
  readonly part?:
    | { readonly $case: 'header'; readonly value: Header }
    | { readonly $case: 'slice'; readonly value: Uint8Array }
    | undefined
}

/**
 * Takes the header off a stream. The memory of a slice is given back when the next one is asked for. Asking for the
 * first one means that there is room for the pack, and calls `admit`.
 * @throws `invalid-argument` when it does not begin with one, or has a second.
 */
export async function openStream<Header>(
  messages: AsyncIterable<PackMessage<Header>>,
  admit: () => void = () => undefined,
): Promise<{ header: Header; slices: AsyncIterable<Uint8Array> }> {
  const iterator = messages[Symbol.asyncIterator]()
  const first = await iterator.next()
  if (first.done === true || first.value.part?.$case !== 'header') {
    throw new TwofoldError('invalid-argument', 'the first message of the stream must be the header')
  }
  return { header: first.value.part.value, slices: slicesOf(iterator, admit) }
}

async function* slicesOf<Header>(
  iterator: AsyncIterator<PackMessage<Header>>,
  admit: () => void,
): AsyncGenerator<Uint8Array> {
  try {
    admit()
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
      const { part } = next.value
      if (part?.$case !== 'slice') {
        throw new TwofoldError('invalid-argument', 'after the header every message of the stream must be a slice')
      }
      yield part.value
      freeBytes(part.value)
    }
  } finally {
    await iterator.return?.()
  }
}
