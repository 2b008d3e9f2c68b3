import type { Clock } from '../core/clock.ts'
import type { CallOptions } from '../core/model.ts'

export interface StatusEvent {
  readonly type: 'status'
  readonly secondsElapsed: number
  /** Absent while nothing is known yet; grows while the source is still being counted. */
  readonly secondsRemaining?: number
  readonly totalFiles: number
  readonly filesDone: number
  readonly totalBytes: number
  readonly bytesDone: number
  /** Bytes of packs handed to the network; 0 for a restore. */
  readonly bytesSent: number
  readonly errorCount: number
  /** Paths as they are best shown; not always UTF-8 on disk. */
  readonly currentFiles: readonly string[]
  /** Names of nodes that have no room for more just now, and are asked again. */
  readonly waitingFor: readonly string[]
}

export interface PackEvent {
  readonly type: 'pack'
  readonly packId: string
  readonly primary: string
  readonly replicas: readonly string[]
  readonly lengthBytes: number
  readonly state: 'sending' | 'durable' | 'retry'
  readonly problem?: string
}

export interface ProblemEvent {
  readonly type: 'problem'
  readonly path: string
  readonly during: 'scan' | 'read' | 'archive' | 'restore'
  readonly message: string
}

export interface NoteEvent {
  readonly type: 'note'
  readonly message: string
}

export interface FileEvent {
  readonly type: 'file'
  readonly path: string
  readonly action: 'new' | 'modified' | 'unchanged' | 'restored' | 'updated' | 'skipped' | 'deleted'
  readonly size: number
}

/** What was done so far is remembered by the manager: an interrupted backup goes on from there. */
export interface CheckpointEvent {
  readonly type: 'checkpoint'
  readonly filesDone: number
  readonly bytesDone: number
}

/** What happens while a backup or restore runs. `status` comes at most about five times a second. */
export type ProgressEvent = StatusEvent | PackEvent | ProblemEvent | NoteEvent | FileEvent | CheckpointEvent

export interface RunOptions extends CallOptions {
  readonly onEvent?: ((event: ProgressEvent) => void) | undefined
  /** False: no `file` events; there is one for each file. */
  readonly fileEvents?: boolean | undefined
}

const statusIntervalMs = 200

/** Counts what is done and tells the caller at most about five times a second. */
export class Progress {
  readonly #clock: Clock
  readonly #onEvent: ((event: ProgressEvent) => void) | undefined
  readonly #fileEvents: boolean
  readonly #startMs: number
  #lastStatusMs: number
  #current: Uint8Array | undefined
  /** How many packs or reads wait for each node. */
  readonly #waiting = new Map<string, number>()
  totalFiles = 0
  totalBytes = 0
  filesDone = 0
  bytesDone = 0
  bytesSent = 0
  problems = 0

  constructor(clock: Clock, { onEvent, fileEvents = true }: RunOptions = {}) {
    this.#clock = clock
    this.#fileEvents = fileEvents && onEvent !== undefined
    this.#onEvent = onEvent
    this.#startMs = clock.monotonicMs()
    this.#lastStatusMs = this.#startMs
  }

  /** Whether anybody listens; counting ahead is only worth it then. */
  get watched(): boolean {
    return this.#onEvent !== undefined
  }

  /** Whether anybody listens to `file` events. */
  get tellsFiles(): boolean {
    return this.#fileEvents
  }

  elapsedMs(): number {
    return this.#clock.monotonicMs() - this.#startMs
  }

  emit(event: ProgressEvent): void {
    this.#onEvent?.(event)
  }

  problem(path: Uint8Array | string, during: ProblemEvent['during'], message: string): void {
    this.problems += 1
    this.emit({ type: 'problem', path: shownPath(path), during, message })
  }

  note(message: string): void {
    this.emit({ type: 'note', message })
  }

  file(path: Uint8Array, action: FileEvent['action'], size: number): void {
    if (this.#fileEvents) this.emit({ type: 'file', path: shownPath(path), action, size })
  }

  /** Something moved; `current` is the file that is worked on now. */
  tick(current?: Uint8Array): void {
    if (current !== undefined) this.#current = current
    if (this.#onEvent === undefined) return
    const now = this.#clock.monotonicMs()
    if (now - this.#lastStatusMs < statusIntervalMs) return
    this.#lastStatusMs = now
    this.emit(this.#status())
  }

  /** Somebody has no room. @returns what to call when it was asked again */
  waitingFor(name: string): () => void {
    this.#waiting.set(name, (this.#waiting.get(name) ?? 0) + 1)
    this.tick()
    return () => {
      const left = (this.#waiting.get(name) ?? 1) - 1
      if (left > 0) this.#waiting.set(name, left)
      else this.#waiting.delete(name)
    }
  }

  /** The last status, whatever the time. */
  finish(): void {
    this.#current = undefined
    if (this.#onEvent !== undefined) this.emit(this.#status())
  }

  #status(): StatusEvent {
    const secondsElapsed = this.elapsedMs() / 1000
    const totalBytes = Math.max(this.totalBytes, this.bytesDone)
    const remaining = this.bytesDone > 0 ? (secondsElapsed * (totalBytes - this.bytesDone)) / this.bytesDone : undefined
    return {
      type: 'status',
      secondsElapsed,
      ...(remaining === undefined ? {} : { secondsRemaining: remaining }),
      totalFiles: Math.max(this.totalFiles, this.filesDone),
      filesDone: this.filesDone,
      totalBytes,
      bytesDone: this.bytesDone,
      bytesSent: this.bytesSent,
      errorCount: this.problems,
      currentFiles: this.#current === undefined ? [] : [shownPath(this.#current)],
      waitingFor: [...this.#waiting.keys()],
    }
  }
}

/** A path for people: UTF-8, with what is not replaced. */
export function shownPath(path: Uint8Array | string): string {
  return typeof path === 'string' ? path : Buffer.from(path.buffer, path.byteOffset, path.length).toString('utf8')
}
