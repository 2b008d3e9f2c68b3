import type { EventEmitter } from 'node:events'
import type { Http2Session, ServerHttp2Stream } from 'node:http2'
import type { ServerReadableStream, ServerUnaryCall } from '@grpc/grpc-js'
import { TwofoldError } from '../core/errors.ts'

/** What all kinds of server calls of grpc-js have in common. */
export type ServerCall = EventEmitter & Pick<ServerUnaryCall<unknown, unknown>, 'getPath' | 'getPeer' | 'getDeadline'>

/** The HTTP/2 stream below a call. grpc-js does not give it away; tests show that it is still where it was. */
function streamBelow(call: object): ServerHttp2Stream | undefined {
  return (call as { call?: { stream?: ServerHttp2Stream } }).call?.stream
}

/** The connection that a call came on; undefined when it is gone. */
export function sessionOf(call: object): Http2Session | undefined {
  return streamBelow(call)?.session
}

const http2Cancel = 8

/**
 * Ends a call whose caller does not read. A status would wait behind the bytes that the caller does not take, and
 * grpc-js offers servers nothing else.
 */
export function breakOff(call: object): void {
  streamBelow(call)?.close(http2Cancel)
}

/** The round trip that a connection is waiting for, and the one after it that others wait for already. */
interface RoundTrips {
  readonly current: Promise<void>
  next: Promise<void> | undefined
}
const roundTrips = new WeakMap<Http2Session, RoundTrips>()

function ping(session: Http2Session): Promise<void> {
  return new Promise((resolve, reject) => {
    const sent = session.ping((error) => (error === null ? resolve() : reject(error)))
    if (!sent) reject(new Error('the connection takes no ping'))
  })
}

/** Resolves when the caller has answered a ping that was sent now or later. Any number of waiters cost two pings. */
function roundTrip(session: Http2Session): Promise<void> {
  const trips = roundTrips.get(session)
  if (trips !== undefined) {
    const again = (): Promise<void> => roundTrip(session)
    trips.next ??= trips.current.then(again, again)
    return trips.next
  }
  const current = ping(session).finally(() => roundTrips.delete(session))
  roundTrips.set(session, { current, next: undefined })
  return current
}

/**
 * Tells a stream that its caller has completed from one that it cancelled. A caller written with Node ends its half of
 * the stream before it resets it, so a cancelled upload looks complete until the reset arrives. Both leave the caller
 * at the same time, so the reset is here before the answer to a ping that is sent now.
 *
 * @throws `cancelled` when the stream was reset or its connection is gone.
 */
export async function confirmEnd(call: ServerReadableStream<unknown, unknown>): Promise<void> {
  const stream = streamBelow(call)
  const gone = (cause?: unknown): TwofoldError =>
    new TwofoldError('cancelled', 'the caller gave up or went away', { cause })
  if (stream?.session === undefined || stream.destroyed) throw gone()
  try {
    await roundTrip(stream.session)
  } catch (error) {
    throw gone(error)
  }
  if (stream.closed || stream.destroyed) throw gone()
}
