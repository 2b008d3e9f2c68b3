import type { Readable } from 'node:stream'
import type { IdleWatch } from './idle-watch.ts'
import type { Interrupter } from './interrupter.ts'

/** Messages that a stream takes in before its consumer asks: one that waits and one that arrives. */
export const readAheadMessages = 2

/**
 * grpc-js reads sixteen messages ahead of a slow consumer, which at 4 MiB each is 64 MiB for each stream. There is no
 * option for it; the limit is set in the stream's state, and a test reads it back.
 */
export function limitReadAhead(stream: Readable): void {
  const state = (stream as unknown as { _readableState?: { highWaterMark: number } })._readableState
  if (state !== undefined) state.highWaterMark = readAheadMessages
}

export interface MessageSource {
  readonly stream: Readable
  /** Breaks the reading off. */
  readonly turn: Interrupter
  readonly watch: IdleWatch
  /** Asked before the end of the stream is believed. */
  readonly confirmEnd?: () => Promise<void>
}

/**
 * The messages of a gRPC stream, as fast as they are asked for and no faster. It ends at the end of the stream; what
 * breaks the stream off is told by the interrupter. Starts at the first `next`; nothing is read before.
 */
export async function* readMessages<T>({ stream, turn, watch, confirmEnd }: MessageSource): AsyncGenerator<T> {
  limitReadAhead(stream)
  let ended = false
  let wake: (() => void) | undefined
  const onEvent = (): void => wake?.()
  const onEnd = (): void => {
    ended = true
    wake?.()
  }
  stream.on('readable', onEvent).on('end', onEnd)
  try {
    for (;;) {
      turn.check()
      const message = stream.read() as T | null
      if (message !== null) {
        watch.moved()
        yield message
      } else if (ended) {
        watch.waiting()
        if (confirmEnd !== undefined) await turn.guard(confirmEnd())
        return
      } else {
        watch.waiting()
        await turn.guard(new Promise<void>((resolve) => (wake = resolve)))
      }
    }
  } finally {
    watch.moved()
    stream.off('readable', onEvent).off('end', onEnd)
  }
}
