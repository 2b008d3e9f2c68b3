import type { Http2Session } from 'node:http2'
import { flowControlWindowBytes, flowControlWindowBytesMin, streamWindowsBytes } from '../core/limits.ts'

/** The window of each of so many streams: a power of two, so that it changes seldom. */
export function windowBytesFor(streams: number): number {
  let bytes = flowControlWindowBytes
  while (bytes > flowControlWindowBytesMin && bytes * streams > streamWindowsBytes) bytes /= 2
  return bytes
}

/**
 * Shares `streamWindowsBytes` out between the incoming streams of a server: few have large windows, many small ones.
 * What a stream has not been read of waits in memory, up to its window.
 *
 * HTTP/2 knows no window of a single stream, only one for all streams of a connection, so that is what changes. One
 * without streams has the smallest: nobody knows yet how many it will begin at once. A stream gets its share when it
 * has begun, a round trip later.
 */
export class WindowShares {
  /** The connections that have streams, with their number. */
  readonly #sessions = new Map<Http2Session, number>()
  readonly #watched = new WeakSet<Http2Session>()
  #streams = 0
  #bytes = flowControlWindowBytes

  /** Counts a stream in. @returns what to call when it is over */
  enter(session: Http2Session): () => void {
    this.#watch(session)
    this.#count(session, 1)
    let over = false
    return () => {
      if (!over) this.#count(session, -1)
      over = true
    }
  }

  #watch(session: Http2Session): void {
    if (this.#watched.has(session)) return
    this.#watched.add(session)
    // What was wanted meanwhile had to wait: each change is only made when the one before was answered.
    session.on('localSettings', () => this.#tell(session))
  }

  #count(session: Http2Session, more: number): void {
    const streams = (this.#sessions.get(session) ?? 0) + more
    if (streams > 0) this.#sessions.set(session, streams)
    else this.#sessions.delete(session)
    this.#streams += more
    const before = this.#bytes
    this.#share()
    if (before === this.#bytes) this.#tell(session)
    else for (const each of new Set([session, ...this.#sessions.keys()])) this.#tell(each)
  }

  /** Smaller at once, larger only when it would last if there were twice as many. */
  #share(): void {
    const bytes = windowBytesFor(this.#streams)
    this.#bytes = bytes < this.#bytes ? bytes : Math.max(this.#bytes, windowBytesFor(2 * this.#streams))
  }

  #tell(session: Http2Session): void {
    const initialWindowSize = this.#sessions.has(session) ? this.#bytes : flowControlWindowBytesMin
    if (session.destroyed || session.closed || session.pendingSettingsAck) return
    if (session.localSettings.initialWindowSize !== initialWindowSize) session.settings({ initialWindowSize })
  }
}
