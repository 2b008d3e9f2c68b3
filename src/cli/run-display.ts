import type { ProgressEvent } from '../client/index.ts'
import { doneFraction } from '../core/done-fraction.ts'
import { formatBytes, plural } from '../core/human-format.ts'
import type { Output } from './output.ts'
import { drawProgress, progressText } from './progress-line.ts'
import type { ProgressView } from './progress-line.ts'
import { RateMeter } from '../core/rate-meter.ts'
import { safeText } from '../core/safe-text.ts'

type StatusEvent = Extract<ProgressEvent, { type: 'status' }>
type PackEvent = Extract<ProgressEvent, { type: 'pack' }>

export interface RunDisplayOptions {
  /** 1 tells of packs, 2 of every file. */
  readonly verbosity: number
  /** The fields of a status line with `--json`, beside the common ones. */
  readonly statusFields: (event: StatusEvent) => Record<string, unknown>
}

/** In a log, a line now and then is enough. */
const plainIntervalSeconds = 10

/** Tells what happens while a backup or restore runs. */
export class RunDisplay {
  readonly #output: Output
  readonly #options: RunDisplayOptions
  readonly #rate = new RateMeter()
  #lastPlainSeconds = 0

  constructor(output: Output, options: RunDisplayOptions) {
    this.#output = output
    this.#options = options
  }

  /** Prints without waiting: events are few and bounded in rate, except files, which are asked for. */
  readonly show = (event: ProgressEvent): void => {
    switch (event.type) {
      case 'status':
        return this.#showStatus(event)
      case 'pack':
        return this.#showPack(event)
      case 'problem':
        return this.#output.problem(`${event.during}: ${safeText(event.path)}: ${safeText(event.message)}`, {
          message_type: 'error',
          error: { message: event.message },
          during: event.during,
          item: event.path,
        })
      case 'note':
        if (this.#output.quiet) return
        return this.#output.problem(safeText(event.message), { message_type: 'note', message: event.message })
      case 'file':
        return this.#showFile(event)
      case 'checkpoint':
        return this.#showCheckpoint(event)
    }
  }

  get showsFiles(): boolean {
    return this.#options.verbosity >= 2
  }

  finish(): void {
    this.#output.clearStatus()
  }

  /** One line on stderr, also when nobody watches and with `--quiet`. */
  #answer(event: StatusEvent): void {
    this.#output.problem(progressText(this.#view(event)), this.#statusRecord(event))
  }

  #statusRecord(event: StatusEvent): object {
    return {
      message_type: 'status',
      seconds_elapsed: Math.floor(event.secondsElapsed),
      ...(event.secondsRemaining === undefined ? {} : { seconds_remaining: Math.round(event.secondsRemaining) }),
      percent_done: doneFraction(event),
      total_files: event.totalFiles,
      total_bytes: event.totalBytes,
      ...(event.waitingFor.length === 0 ? {} : { waiting_for: event.waitingFor }),
      ...this.#options.statusFields(event),
    }
  }

  #showStatus(event: StatusEvent): void {
    if (event.asked === true) return this.#answer(event)
    if (this.#output.quiet) return
    if (this.#output.json) return void this.#output.record(this.#statusRecord(event))
    const view = this.#view(event)
    if (this.#output.interactive) this.#output.status(drawProgress(view, this.#output.columns))
    else if (event.secondsElapsed - this.#lastPlainSeconds >= plainIntervalSeconds) {
      this.#lastPlainSeconds = event.secondsElapsed
      void this.#output.line(progressText(view))
    }
  }

  #view(event: StatusEvent): ProgressView {
    const { secondsElapsed, filesDone, totalFiles, bytesDone, totalBytes, open = false, ended = false } = event
    return {
      open,
      ended,
      secondsElapsed,
      filesDone,
      totalFiles,
      bytesDone,
      totalBytes,
      secondsRemaining: event.secondsRemaining,
      bytesPerSecond: this.#rate.add(secondsElapsed, bytesDone),
      errors: event.errorCount,
      currentFile: event.currentFiles[0],
      waitingFor: event.waitingFor,
    }
  }

  #showPack(event: PackEvent): void {
    if (this.#options.verbosity < 1 && event.state !== 'retry') return
    const { packId, primary, replicas, lengthBytes, state, problem } = event
    const record = { message_type: 'verbose_status', action: `pack_${state}`, item: packId, primary, replicas }
    if (this.#output.json) {
      void this.#output.record({ ...record, data_size: lengthBytes, ...(problem === undefined ? {} : { problem }) })
      return
    }
    if (state === 'sending') return
    const nodes = [primary, ...replicas].map(safeText).join(' → ')
    const what = `pack ${packId.slice(0, 8)}  ${formatBytes(lengthBytes).padStart(10)}  ${nodes}  ${state}`
    void this.#output.line(problem === undefined ? what : `${what}: ${safeText(problem)}`)
  }

  #showCheckpoint({ filesDone, bytesDone }: Extract<ProgressEvent, { type: 'checkpoint' }>): void {
    if (this.#options.verbosity < 1) return
    const action = 'checkpoint'
    void this.#output.record({ message_type: 'verbose_status', action, files_done: filesDone, bytes_done: bytesDone })
    void this.#output.line(`checkpoint saved  ${formatBytes(bytesDone).padStart(10)}  ${plural(filesDone, 'file')}`)
  }

  #showFile(event: Extract<ProgressEvent, { type: 'file' }>): void {
    if (!this.showsFiles) return
    const { action, path: item, size } = event
    void this.#output.record({ message_type: 'verbose_status', action, item, data_size: size, size })
    void this.#output.line(`${action.padEnd(9)} ${safeText(item)} (${formatBytes(size)})`)
  }
}
