import { backoffMs, roomWaitMs } from '../core/backoff.ts'
import type { Clock } from '../core/clock.ts'
import { describeError, isTwofoldError, toTwofoldError, TwofoldError } from '../core/errors.ts'
import type { ErrorCode } from '../core/errors.ts'
import { toHex } from '../core/ids.ts'
import type { PackId } from '../core/ids.ts'
import { lateCopyMs, streamIdleMs } from '../core/limits.ts'
import type { Logger } from '../core/logger.ts'
import type { CallOptions, NodeRef, RecordKind } from '../core/model.ts'
import type { Random } from '../core/random.ts'
import type { Codec } from '../format/codec.ts'
import { openRecord } from '../format/record.ts'
import { CopyOrder } from './copy-order.ts'
import { mergeRanges } from './read-plan.ts'
import type { PackRead, WantedRecord } from './read-plan.ts'
import { RecordAssembler } from './record-assembler.ts'
import { StallGuard } from './stall-guard.ts'
import type { StorageApi } from './storage-api.ts'

/** One copy of a pack that could not serve all that was wanted of it. */
export interface CopyProblem {
  readonly node: NodeRef
  readonly packId: PackId
  /** The record that is bad; undefined when the read as a whole failed. */
  readonly record: WantedRecord | undefined
  readonly error: TwofoldError
}

export interface PackReadResult {
  readonly good: readonly OpenedRecord[]
  /** Records of which no copy could be read, each with the reason. */
  readonly bad: readonly { record: WantedRecord; error: TwofoldError }[]
}

export interface OpenedRecord {
  readonly record: WantedRecord
  readonly kind: RecordKind
  readonly plain: Uint8Array
  readonly refs: Uint8Array
}

export interface PackReadOptions extends CallOptions {
  readonly onProblem?: ((problem: CopyProblem) => void) | undefined
  /** Called when a node has no room; what it returns is called when it is asked again. */
  readonly onWaiting?: ((node: NodeRef) => () => void) | undefined
}

export interface PackReaderDeps {
  readonly storage: StorageApi
  readonly codec: Codec
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

/** What may pass when it is tried again; anything else is final for this copy. */
const passing: readonly ErrorCode[] = ['unavailable', 'deadline-exceeded', 'cancelled', 'internal']
const secondRoundPause = { firstMs: 400, mostMs: 400 }

/** Reads records of one pack, from whichever copy is good, and verifies each. */
export class PackReader {
  readonly #deps: PackReaderDeps
  readonly #order: CopyOrder

  constructor(deps: PackReaderDeps) {
    this.#deps = deps
    this.#order = new CopyOrder(deps.clock)
  }

  /**
   * Never throws for what a node does or lacks: that is in the result. A copy that is late is given up after
   * `lateCopyMs` while there is another; only when all failed is each asked once more, with patience. While a node
   * says that it has no room, it is asked again, as long as it takes.
   */
  async read(read: PackRead, options: PackReadOptions): Promise<PackReadResult> {
    const good: OpenedRecord[] = []
    const problems: CopyProblem[] = []
    let wanted = read.records
    const attempt = async (node: NodeRef, idleMs: number): Promise<void> => {
      const left = await this.#readCopy({ read, wanted, node, idleMs, good, problems }, options)
      wanted = wanted.filter((record) => left.has(record))
    }
    const copies = this.#order.sort(read.pack.nodes)
    for (const node of copies) {
      if (wanted.length > 0) await attempt(node, copies.length > 1 ? lateCopyMs : streamIdleMs)
    }
    for (let refusals = 0; wanted.length > 0; refusals++) {
      const full = takeRefusals(problems)
      if (full.length === 0) break
      await this.#waitForRoom(full, refusals, options)
      for (const { node } of full) if (wanted.length > 0) await attempt(node, streamIdleMs)
    }
    const again = copies.filter((node) => mayPass(problems, node))
    if (wanted.length > 0 && again.length > 0) {
      await this.#deps.clock.sleep(backoffMs(0, this.#deps.random, secondRoundPause), options.signal)
      for (const node of again) if (wanted.length > 0) await attempt(node, streamIdleMs)
    }
    return { good, bad: wanted.map((record) => ({ record, error: noGoodCopy(read, record, problems) })) }
  }

  async #waitForRoom(full: readonly CopyProblem[], refusals: number, options: PackReadOptions): Promise<void> {
    const { clock, random } = this.#deps
    const done = full.map(({ node }) => options.onWaiting?.(node))
    const askedMs = Math.min(...full.map(({ error }) => error.retryAfterMs ?? Infinity))
    try {
      const waitMs = roomWaitMs(Number.isFinite(askedMs) ? askedMs : undefined, refusals, random)
      await clock.sleep(waitMs, options.signal)
    } finally {
      for (const each of done) each?.()
    }
  }

  /** Reads what it can of one copy into `good`. @returns the records that are still wanted. */
  async #readCopy(attempt: CopyAttempt, options: PackReadOptions): Promise<Set<WantedRecord>> {
    const { read, node, good } = attempt
    const left = new Set(attempt.wanted)
    const opening: Promise<void>[] = []
    const assembler = new RecordAssembler(attempt.wanted, (record, bytes) => {
      const opened = openRecord(bytes, record.id, this.#deps.codec).then(
        (content) => {
          left.delete(record)
          good.push({ record, ...content })
        },
        (error: unknown) => this.#report(attempt, { record, error }, options),
      )
      opening.push(opened)
    })
    const guard = new StallGuard(this.#deps.clock, attempt.idleMs, options.signal)
    this.#order.begin(node)
    let well = false
    try {
      const request = { packId: read.pack.packId, ranges: mergeRanges(attempt.wanted) }
      for await (const slice of guard.watch(this.#deps.storage.read(node, request, { signal: guard.signal }))) {
        assembler.push(slice)
        if (assembler.complete) break
      }
      if (!assembler.complete) throw new TwofoldError('integrity', 'the node sent less than was asked for')
      well = true
    } catch (error) {
      if (options.signal?.aborted === true) throw options.signal.reason
      // A node without room is as well as any.
      well = isTwofoldError(error, 'overloaded')
      this.#report(attempt, { record: undefined, error: guard.stalled ?? error }, options)
    } finally {
      guard.release()
      this.#order.end(node, well)
      await Promise.all(opening)
    }
    return left
  }

  #report(
    attempt: CopyAttempt,
    failure: { record: WantedRecord | undefined; error: unknown },
    options: PackReadOptions,
  ): void {
    const { node, read } = attempt
    const error = toTwofoldError(failure.error)
    const problem: CopyProblem = { node, packId: read.pack.packId, record: failure.record, error }
    attempt.problems.push(problem)
    if (error.code === 'overloaded') return
    this.#deps.logger.warn('a copy could not be read; trying the others', {
      node: node.name,
      pack: read.pack.packId,
      chunk: failure.record === undefined ? undefined : toHex(failure.record.id),
      problem: describeError(failure.error),
    })
    options.onProblem?.(problem)
  }
}

interface CopyAttempt {
  readonly read: PackRead
  readonly wanted: readonly WantedRecord[]
  readonly node: NodeRef
  readonly idleMs: number
  readonly good: OpenedRecord[]
  readonly problems: CopyProblem[]
}

/** Takes those out that are no problems but a lack of room. */
function takeRefusals(problems: CopyProblem[]): CopyProblem[] {
  const full = problems.filter(({ error }) => error.code === 'overloaded')
  const others = problems.filter(({ error }) => error.code !== 'overloaded')
  problems.splice(0, problems.length, ...others)
  return full
}

/** Whether the node's whole read failed, in a way that may pass. */
function mayPass(problems: readonly CopyProblem[], node: NodeRef): boolean {
  return problems.some(
    ({ node: { nodeId }, record, error }) =>
      nodeId === node.nodeId && record === undefined && isTwofoldError(error, ...passing),
  )
}

function noGoodCopy(read: PackRead, record: WantedRecord, problems: readonly CopyProblem[]): TwofoldError {
  const relevant = problems.filter((problem) => problem.record === undefined || problem.record === record)
  const nodes = read.pack.nodes.map((node) => node.name).join(', ')
  // Nodes that are down are named, too: where none is, every copy is known to be gone.
  const reachable = !relevant.some(({ error }) => isTwofoldError(error, ...passing))
  const reasons = relevant.map(({ node, error }) => `${node.name}: ${error.message}`)
  const chunk = toHex(record.id)
  const detail = reasons.length === 0 ? 'no node holds it' : [...new Set(reasons)].join('; ')
  const message = reachable
    ? `no good copy of chunk ${chunk.slice(0, 8)} of pack ${read.pack.packId.slice(0, 8)} is left (${detail})`
    : `chunk ${chunk.slice(0, 8)} of pack ${read.pack.packId.slice(0, 8)} cannot be reached now (${detail}); ` +
      'see `twofold nodes` and try again when they are up'
  return new TwofoldError(reachable ? 'integrity' : 'unavailable', message, {
    fields: { chunk, pack: read.pack.packId, nodes },
  })
}
