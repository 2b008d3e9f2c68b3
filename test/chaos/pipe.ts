import type { Socket } from 'node:net'
import type { Link } from './link.ts'
import { resetSocket } from './reset-socket.ts'

/** What waits in one direction of one connection; beyond it the sender is not read from. */
const queuedBytesMost = 1024 * 1024

export interface PipeOptions {
  readonly source: Socket
  readonly target: Socket
  readonly link: Link
  /** The way back, on which the source learns that the target is gone. */
  readonly back: Link
}

interface Piece {
  readonly bytes: Buffer
  readonly dueMs: number
}

/**
 * One direction of one connection: takes bytes from one socket and gives them to another as the link allows. Whatever
 * happens to it makes it look at everything again and do what can be done now.
 */
export class Pipe {
  readonly #options: PipeOptions
  readonly #queue: Piece[] = []
  readonly #forget: (() => void)[]
  #queuedBytes = 0
  #lastDueMs = 0
  #freeAtMs = 0
  #full = false
  /** How the source came to its end, behind all that is queued. */
  #end: 'ended' | 'broken' | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(options: PipeOptions) {
    const { source, target, link, back } = options
    this.#options = options
    const look = (): void => this.#look()
    source.on('data', (bytes: Buffer) => this.#take(bytes))
    source.once('end', () => this.#finish('ended'))
    source.once('close', (failed: boolean) => this.#finish(failed || !source.readableEnded ? 'broken' : 'ended'))
    target.once('close', look)
    target.on('drain', () => {
      this.#full = false
      this.#look()
    })
    this.#forget = [link.onChange(look), back.onChange(look)]
  }

  #take(bytes: Buffer): void {
    // A later piece never overtakes an earlier one.
    this.#lastDueMs = Math.max(this.#lastDueMs, performance.now() + this.#options.link.delayMs())
    this.#queue.push({ bytes, dueMs: this.#lastDueMs })
    this.#queuedBytes += bytes.length
    if (this.#queuedBytes >= queuedBytesMost) this.#options.source.pause()
    this.#look()
  }

  #finish(end: 'ended' | 'broken'): void {
    if (this.#end !== 'broken') this.#end = end
    this.#look()
  }

  #look(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    let waitMs = 0
    while (waitMs === 0) waitMs = this.#step()
    if (waitMs < Infinity) this.#timer = setTimeout(() => this.#look(), waitMs)
  }

  /** @returns how long there is nothing to do; 0: there may be more to do at once, Infinity: until something happens */
  #step(): number {
    const { target, link } = this.#options
    if (target.destroyed) return this.#tellSource()
    const piece = this.#queue[0]
    if (link.state.blackhole || this.#full) return Infinity
    if (piece === undefined) return this.#end === undefined ? Infinity : this.#endTarget(this.#end)
    const nowMs = performance.now()
    // What was sent into a slow link arrives early when the link gets better.
    const dueMs = Math.min(piece.dueMs, nowMs + link.delayMostMs)
    const waitMs = Math.max(dueMs, this.#freeAtMs) - nowMs
    if (waitMs > 0) return waitMs
    this.#carry(piece, nowMs)
    return 0
  }

  #carry(piece: Piece, nowMs: number): void {
    const { source, target, link } = this.#options
    this.#queue.shift()
    this.#queuedBytes -= piece.bytes.length
    if (this.#queuedBytes < queuedBytesMost) source.resume()
    this.#freeAtMs = nowMs + (piece.bytes.length * 1000) / link.state.bytesPerSecond
    const { bytes, cut } = link.pass(piece.bytes)
    // Behind a half-close that the proxy made up, nothing more can be said.
    if (!target.writableEnded) this.#full = !target.write(bytes)
    if (!cut) return
    resetSocket(target)
    resetSocket(source)
  }

  #endTarget(end: 'ended' | 'broken'): number {
    const { target } = this.#options
    if (end === 'broken') resetSocket(target)
    else if (!target.writableEnded) target.end()
    return Infinity
  }

  #tellSource(): number {
    const { source, back } = this.#options
    if (source.destroyed) for (const forget of this.#forget.splice(0)) forget()
    else if (!back.state.blackhole) resetSocket(source)
    return Infinity
  }
}
