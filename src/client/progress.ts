import type { Clock } from '../core/clock.ts'
import type { CallOptions } from '../core/model.ts'

export interface StatusEvent {
  readonly type: 'status'
  /** Whether somebody asked for it just now. */
  readonly asked?: boolean
  /** Whether all is done. */
  readonly ended?: boolean
  /** The totals are not what it will be: it is still being counted, or more is done already than was expected. */
  readonly open?: boolean
  readonly secondsElapsed: number
  /** Absent while nothing is known yet. */
  readonly secondsRemaining?: number
  readonly totalFiles: number
  readonly filesDone: number
  readonly totalBytes: number
  readonly bytesDone: number
  /** Bytes of packs handed to the network; 0 for a restore. */
  readonly bytesSent: number
  /** Of `bytesDone`, what the cluster did not have; absent for a restore. */
  readonly newBytes?: number
  /** Of `bytesDone`, what need not be stored again; what is neither is still on its way. Absent for a restore. */
  readonly knownBytes?: number
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
  /** Has `listener` called when somebody asks how far it is; the answer is a `status`. @returns how to end that */
  readonly onAsked?: ((listener: () => void) => () => void) | undefined
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
  readonly #stopListening: (() => void) | undefined
  #current: Uint8Array | undefined
  /** How many packs or reads wait for each node. */
  readonly #waiting = new Map<string, number>()
  totalFiles = 0
  totalBytes = 0
  /** `exact`: it will be that much; `guess`: about; `growing`: more, as there is more to be counted. */
  totals: 'exact' | 'guess' | 'growing' = 'guess'
  filesDone = 0
  bytesDone = 0
  bytesSent = 0
  problems = 0
  /** Of a backup: counts what is new, and what is not. */
  split: (() => { readonly newBytes: number; readonly knownBytes: number }) | undefined

  constructor(clock: Clock, { onEvent, onAsked, fileEvents = true }: RunOptions = {}) {
    this.#clock = clock
    this.#fileEvents = fileEvents && onEvent !== undefined
    this.#onEvent = onEvent
    this.#startMs = clock.monotonicMs()
    this.#lastStatusMs = this.#startMs
    this.#stopListening = onAsked?.(() => this.emit({ ...this.#status(), asked: true }))
  }

  /** Whether anybody listens; counting ahead is only worth it then. */
  get watched(): boolean {
    return this.#onEvent !== undefined
  }

  /** Whether anybody listens to `file` events. */
  get tellsFiles(): boolean {
    return this.#fileEvents
  }

  /** It will be that much. */
  expect(totalFiles: number, totalBytes: number): void {
    this.totalFiles = totalFiles
    this.totalBytes = totalBytes
    this.totals = 'exact'
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
    this.#stopListening?.()
    this.#current = undefined
    if (this.#onEvent !== undefined) this.emit({ ...this.#status(), ended: true, open: false })
  }

  #status(): StatusEvent {
    const secondsElapsed = this.elapsedMs() / 1000
    const totalBytes = Math.max(this.totalBytes, this.bytesDone)
    const passed = this.bytesDone >= this.totalBytes
    const open = this.totals === 'growing' || (this.totals === 'guess' && passed)
    const known = !open && this.bytesDone > 0
    return {
      type: 'status',
      open,
      secondsElapsed,
      ...(known ? { secondsRemaining: (secondsElapsed * (totalBytes - this.bytesDone)) / this.bytesDone } : {}),
      totalFiles: Math.max(this.totalFiles, this.filesDone),
      filesDone: this.filesDone,
      totalBytes,
      bytesDone: this.bytesDone,
      bytesSent: this.bytesSent,
      ...this.split?.(),
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
