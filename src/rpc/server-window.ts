import type { Http2Server, ServerHttp2Session } from 'node:http2'
import type { Server } from '@grpc/grpc-js'
import { flowControlWindowBytes } from '../core/limits.ts'

/**
 * The only place that reaches into a grpc-js server. Its HTTP/2 window is 64 KiB and, unlike the client's, has no
 * option: uploads would get one window for each round trip, 3 MB/s at 20 ms. A test reads the effective windows.
 */
interface Internals {
  readonly commonServerOptions: { settings?: Record<string, unknown> }
  readonly http2Servers: Map<Http2Server, unknown>
}

/** Windows of single streams when a connection begins. Before the server is bound. */
export function setStreamWindows(server: Server, initialWindowSize: number): void {
  const { commonServerOptions } = server as unknown as Internals
  commonServerOptions.settings = { ...commonServerOptions.settings, initialWindowSize }
}

/** Windows of whole connections. After the server is bound. `onSession` sees each new connection. */
export function widenConnectionWindows(server: Server, onSession?: (session: ServerHttp2Session) => void): void {
  for (const http2Server of (server as unknown as Internals).http2Servers.keys()) {
    http2Server.on('session', (session) => {
      session.setLocalWindowSize(flowControlWindowBytes)
      onSession?.(session)
    })
  }
}
