import type { Disk } from '../core/disk.ts'
import { TwofoldError, isTwofoldError } from '../core/errors.ts'
import { logFilesMax } from '../core/limits.ts'
import type { Logger } from '../core/logger.ts'
import type { LogReport } from '../core/messages.ts'
import type { LogEntry, LogPosition } from '../core/model.ts'
import { Semaphore } from '../core/semaphore.ts'
import { recoveryKind, requireChain, requireSound, sameHash, samePosition } from '../format/log-chain.ts'
import type { ChainEnd } from '../format/log-chain.ts'
import { LogFiles } from './log-files.ts'
import type { LogRecord } from './log-record.ts'

export interface NodeLogOptions {
  readonly disk: Disk
  readonly logger: Logger
  /** Told when the disk failed while something was made durable. */
  readonly onFailure?: (error: unknown) => void
}

/**
 * A node's copy of the manager's log, and the newest position that it ever heard of. What was recorded here is never
 * forgotten: it is how an older catalogue is recognised, and, with the packs, what a lost one is made from.
 */
export class NodeLog {
  readonly #files: LogFiles
  readonly #options: NodeLogOptions
  readonly #turn = new Semaphore(1)
  #newest: ChainEnd | undefined
  #witnessed: LogPosition | undefined
  /** The newest of the statements that wait to be recorded; one write serves all. */
  #wanted: LogPosition | undefined

  private constructor(files: LogFiles, options: NodeLogOptions) {
    this.#files = files
    this.#options = options
  }

  /** Reads what is there; whatever a crash left torn is cut. */
  static async open(options: NodeLogOptions): Promise<NodeLog> {
    const log = new NodeLog(await LogFiles.open(options.disk), options)
    for await (const record of log.#files.read()) log.#remember(record)
    if (log.#files.count > logFilesMax) {
      const { witnessed } = log
      await log.#files.merge(witnessed === undefined ? [] : [{ type: 'witness', position: witnessed }])
    }
    return log
  }

  #remember(record: LogRecord): void {
    if (record.type === 'restart') this.#newest = undefined
    else if (record.type === 'witness') this.#witnessed = record.position
    else if (isNext(this.#newest, record.entry)) this.#newest = endOf(record.entry)
  }

  /** The newest position that this store was ever told. */
  get witnessed(): LogPosition | undefined {
    return this.#witnessed
  }

  /** What to tell the manager. */
  report(): LogReport {
    const { epoch, life } = this.#witnessed ?? { epoch: 0, life: '' }
    const log = this.#newest === undefined ? undefined : { epoch, life, ...this.#newest }
    return { log, witnessed: this.#witnessed }
  }

  /** All entries that were ever recorded, the oldest first; those of a log that was replaced come before. */
  async *entries(): AsyncGenerator<LogEntry> {
    for await (const record of this.#files.read()) if (record.type === 'entry') yield record.entry
  }

  /**
   * Records what a manager's answer brought. `reported` is what it was told before: it compared that with its own log
   * and agreed, so the node follows this life of the manager from now on.
   * @throws TwofoldError `integrity` when the entries do not follow the ones that are here; nothing is recorded then.
   */
  async follow(reported: LogReport, head: LogPosition, entries: readonly LogEntry[]): Promise<void> {
    await this.#turn.run(async () => {
      const known = this.#witnessed
      // A statement of another life came meanwhile, which the manager has not been told of.
      if (known !== undefined && known.life !== head.life && !samePosition(known, reported.witnessed)) return
      const records: LogRecord[] = []
      const [first] = entries
      let from = this.#newest
      if (first?.sequence === 1 && from !== undefined) {
        records.push({ type: 'restart' })
        from = undefined
      }
      requireChain(from, entries)
      for (const entry of entries) records.push({ type: 'entry', entry })
      if (!covers(known, head)) records.push({ type: 'witness', position: head })
      if (records.length > 0) await this.#append(records)
    })
  }

  /**
   * Records a position that the manager has signed.
   * @throws TwofoldError `fenced` when another log, or a newer manager, is known; `unavailable` when this node has not
   * heard from that manager itself yet.
   */
  async witness(position: LogPosition): Promise<void> {
    this.#requireFollowed(position)
    if ((this.#wanted?.sequence ?? -1) < position.sequence || this.#wanted?.life !== position.life) {
      this.#wanted = position
    }
    await this.#turn.run(async () => {
      this.#requireFollowed(position)
      if (covers(this.#witnessed, position)) return
      const wanted = this.#wanted?.life === position.life ? this.#wanted : position
      await this.#append([{ type: 'witness', position: wanted }])
    })
  }

  #requireFollowed(position: LogPosition): void {
    const known = this.#witnessed
    if (known?.life === position.life) {
      if (known.sequence !== position.sequence || sameHash(known.hash, position.hash)) return
      throw fenced('another entry of the same number')
    }
    if (known !== undefined && position.epoch <= known.epoch) {
      throw fenced(`entry ${known.sequence} of epoch ${known.epoch}`)
    }
    throw new TwofoldError('unavailable', 'this node has not heard from its manager yet; ask again', {
      retryAfterMs: 500,
    })
  }

  async #append(records: readonly LogRecord[]): Promise<void> {
    try {
      await this.#files.append(records)
    } catch (error) {
      // A full disk gets over it; one that failed does not.
      if (!isTwofoldError(error, 'no-room')) this.#options.onFailure?.(error)
      throw error
    }
    for (const record of records) this.#remember(record)
  }

  async close(): Promise<void> {
    await this.#turn.run(() => this.#files.close())
  }
}

/** Whether an entry that was read goes on from `end`. What is there twice, or does not fit, is passed over. */
function isNext(end: ChainEnd | undefined, entry: LogEntry): boolean {
  const expected = (end?.sequence ?? 0) + 1
  const follows = entry.kind === recoveryKind ? entry.sequence >= expected : entry.sequence === expected
  if (!follows || (end !== undefined && !sameHash(entry.previousHash, end.hash))) return false
  try {
    requireSound(entry)
    return true
  } catch (error) {
    if (isTwofoldError(error, 'integrity')) return false
    throw error
  }
}

function endOf({ sequence, hash }: LogEntry): ChainEnd {
  return { sequence, hash }
}

/** Whether recording `position` would add nothing to what is known. */
function covers(known: LogPosition | undefined, position: LogPosition): boolean {
  return known?.life === position.life && known.sequence >= position.sequence
}

function fenced(what: string): TwofoldError {
  return new TwofoldError('fenced', `this node knows ${what}: the manager works with an older catalogue`)
}
