import { repairAttemptsMax, repairBackoffFirstMs, repairBackoffMostMs, repairsPerNodeMax } from '../core/limits.ts'
import type { PackId } from '../core/ids.ts'
import type { RepairActivity } from '../core/model.ts'
import type { PassingOrder } from './passing-orders.ts'
import { RepairQueue } from './repair-queue.ts'
import type { RepairWatch } from './repair-watch.ts'

/** A copy on its way from node to node. */
export interface CopyJob {
  readonly orderId: string
  /** Row of the pack. */
  readonly pack: number
  readonly packId: PackId
  readonly lengthBytes: number
  /** Rows of the nodes. */
  readonly source: number
  readonly target: number
  /** Monotonic. */
  readonly startedMs: number
  /** Not because it has too few copies, but to move it. */
  readonly move: boolean
}

interface Attempts {
  failures: number
  notBeforeMs: number
  readonly sources: Set<number>
  readonly targets: Set<number>
}

export interface RepairProgress {
  readonly sinceMs: number
  readonly packs: number
  readonly bytes: number
}

const noAttempts: Attempts = { failures: 0, notBeforeMs: -Infinity, sources: new Set(), targets: new Set() }

/** What repair is doing, and what it learned of packs that are hard to copy. Nothing of it must survive a restart. */
export class RepairState implements RepairWatch {
  readonly queue = new RepairQueue()
  /** Bytes a second of one copy; 0 means as fast as it goes. */
  readonly copyBytesPerSecondMax: number
  readonly #jobs = new Map<string, CopyJob>()
  readonly #byPack = new Map<number, CopyJob>()
  readonly #attempts = new Map<number, Attempts>()
  /** Orders that were answered, so that an answer that comes twice is taken once. */
  readonly #settled = new Set<string>()
  #progress: RepairProgress | undefined
  /** Why nothing can be done for packs that wait, in words; empty when there is no such reason. */
  waitsFor = ''
  /** Somebody plans now. */
  planning = false

  /** @param nodeBytesPerSecondMax what one node may send with all its copies; 0 means as fast as it goes */
  constructor(nodeBytesPerSecondMax: number) {
    this.copyBytesPerSecondMax = Math.ceil(nodeBytesPerSecondMax / repairsPerNodeMax)
  }

  begin(job: CopyJob): void {
    this.#jobs.set(job.orderId, job)
    this.#byPack.set(job.pack, job)
    this.#progress ??= { sinceMs: job.startedMs, packs: 0, bytes: 0 }
  }

  /** Nobody waits for it any more. */
  end(orderId: string): CopyJob | undefined {
    const job = this.#jobs.get(orderId)
    if (job === undefined) return undefined
    this.#jobs.delete(orderId)
    this.#byPack.delete(job.pack)
    return job
  }

  /** The same for one that was answered; another answer to it says nothing new. */
  settle(orderId: string): CopyJob | undefined {
    this.#settled.add(orderId)
    const [oldest] = this.#settled
    if (this.#settled.size > repairAttemptsMax && oldest !== undefined) this.#settled.delete(oldest)
    return this.end(orderId)
  }

  isSettled(orderId: string): boolean {
    return this.#settled.has(orderId)
  }

  /** Orders that nobody will answer. Their packs are looked at again. @returns the copies that were given up */
  cancel(orders: readonly PassingOrder[]): CopyJob[] {
    const given = orders.flatMap(({ orderId }) => this.end(orderId) ?? [])
    for (const job of given) this.queue.add('short', job)
    return given
  }

  activity(): RepairActivity {
    if (this.#jobs.size > 0) return 'running'
    return this.queue.total(['last-copy', 'short']).packs > 0 ? 'waiting' : 'none'
  }

  jobs(): CopyJob[] {
    return [...this.#jobs.values()]
  }

  copying(pack: number): boolean {
    return this.#byPack.has(pack)
  }

  sending(node: number): number {
    return this.jobs().filter((job) => job.source === node).length
  }

  receiving(node: number): number {
    return this.jobs().filter((job) => job.target === node).length
  }

  attempts(pack: number): Readonly<Attempts> {
    return this.#attempts.get(pack) ?? noAttempts
  }

  /** @param blame the nodes that had better not be asked again */
  failed(pack: number, nowMs: number, blame: { readonly source?: number; readonly target?: number } = {}): void {
    const attempts = this.#attempts.get(pack) ?? { ...noAttempts, sources: new Set(), targets: new Set() }
    const waitMs = Math.min(repairBackoffMostMs, repairBackoffFirstMs * 2 ** Math.min(attempts.failures, 20))
    attempts.failures += 1
    attempts.notBeforeMs = nowMs + waitMs
    if (blame.source !== undefined) attempts.sources.add(blame.source)
    if (blame.target !== undefined) attempts.targets.add(blame.target)
    this.#attempts.delete(pack)
    this.#attempts.set(pack, attempts)
    const [oldest] = this.#attempts.keys()
    if (this.#attempts.size > repairAttemptsMax && oldest !== undefined) this.#attempts.delete(oldest)
  }

  succeeded(job: CopyJob): void {
    this.#attempts.delete(job.pack)
    const { sinceMs, packs, bytes } = this.#progress ?? { sinceMs: job.startedMs, packs: 0, bytes: 0 }
    this.#progress = { sinceMs, packs: packs + 1, bytes: bytes + job.lengthBytes }
  }

  /** Since repair last had nothing to do; undefined when it has nothing to do. */
  get progress(): RepairProgress | undefined {
    return this.#progress
  }

  /** There is nothing left to do. */
  rest(): void {
    this.#progress = undefined
    this.waitsFor = ''
  }
}
