import type { EventEmitter } from 'node:events'
import type { ServerUnaryCall, ServerWritableStream } from '@grpc/grpc-js'

/** What all kinds of server calls of grpc-js have in common. */
export type ServerSurfaceCall = EventEmitter &
  Pick<ServerUnaryCall<unknown, unknown>, 'getPath' | 'getPeer' | 'getDeadline'>

interface Internals {
  readonly call?: { readonly stream?: { close(code: number): void } }
}

const http2Cancel = 8

/**
 * Ends a call whose caller does not read. A status would wait behind the bytes that the caller does not take, and
 * grpc-js offers servers nothing else; so this reaches for the HTTP/2 stream below. A test shows that it works.
 */
export function breakOff(call: ServerWritableStream<unknown, unknown>): void {
  ;(call as unknown as Internals).call?.stream?.close(http2Cancel)
}
