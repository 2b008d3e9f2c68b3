import type { Clock } from '../core/clock.ts'
import { TwofoldError, describeError } from '../core/errors.ts'
import type { NodeId } from '../core/ids.ts'
import { catalogueCopyIntervalMs } from '../core/limits.ts'
import type { Logger } from '../core/logger.ts'
import type { KeepCatalogue, Order, OrderResult } from '../core/messages.ts'
import type { Lineage } from './lineage.ts'
import type { LogFeed } from './log-feed.ts'
import type { Members } from './members.ts'

interface Surroundings {
  readonly clock: Clock
  readonly lineage: Lineage
  readonly log: LogFeed
  readonly logger: Logger
  readonly members: Members
  readonly identity: { readonly epoch: number }
}

/** A compressed copy of the catalogue, as a file of the manager. */
export interface CatalogueCopy {
  readonly lengthBytes: number
  /** BLAKE3-256, 32 bytes. */
  readonly hash: Uint8Array
  /** In pieces of at most 1 MiB. */
  read(): AsyncIterable<Uint8Array>
}

/** Where copies come from. A catalogue in memory has none. */
export interface CatalogueCopier {
  /** A copy as of now, without the manager's secrets, in the place of the one before. It may take long. */
  make(): Promise<CatalogueCopy>
}

/**
 * Gives nodes copies of the catalogue to keep, so that what only the catalogue has, such as the history, is not lost
 * with it. Nothing rests on them: snapshots, files and settings are recovered without.
 */
export class CatalogueCopies {
  readonly #copier: CatalogueCopier | undefined
  #current: { readonly name: string; readonly copy: CatalogueCopy } | undefined
  readonly #kept = new Set<NodeId>()
  /** Nodes that could not keep the newest copy; others are asked instead, until there is another. */
  readonly #unable = new Set<NodeId>()
  #madeAtMs: number | undefined
  #madeFor = 0
  #making: Promise<void> | undefined

  constructor(copier: CatalogueCopier | undefined) {
    this.#copier = copier
  }

  /** Begins a copy when one is due and something happened since the last. Resolves without waiting for it. */
  async sweep(context: Surroundings): Promise<void> {
    const { clock, lineage, log, logger } = context
    if (this.#copier === undefined || this.#making !== undefined || lineage.state !== 'verified') return
    this.#madeAtMs ??= clock.monotonicMs()
    if (clock.monotonicMs() - this.#madeAtMs < catalogueCopyIntervalMs) return
    const sequence = (await log.head())?.sequence ?? 0
    if (sequence === this.#madeFor) return
    const name = [context.identity.epoch, sequence].map((part) => String(part).padStart(12, '0')).join('-')
    this.#making = this.#make(this.#copier, { name, sequence }, clock.monotonicMs())
      .catch((error: unknown) => logger.warn('the catalogue could not be copied', { error: describeError(error) }))
      .finally(() => (this.#making = undefined))
  }

  async #make(copier: CatalogueCopier, what: { name: string; sequence: number }, nowMs: number): Promise<void> {
    this.#madeAtMs = nowMs
    const copy = await copier.make()
    this.#current = { name: what.name, copy }
    this.#madeFor = what.sequence
    this.#kept.clear()
    this.#unable.clear()
  }

  /** Waits for a copy in progress. */
  async settle(): Promise<void> {
    await this.#making
  }

  /** What this node is to keep: the first of those that are up, until enough have the newest copy. */
  orderFor(context: Surroundings, nodeId: NodeId): Order[] {
    if (this.#current === undefined || this.#kept.has(nodeId)) return []
    const wanted = context.lineage.witnessesWanted - this.#kept.size
    if (wanted <= 0) return []
    const up = context.members.infos().filter(({ state, writable }) => state === 'up' && writable)
    const waiting = up.map(({ node }) => node.nodeId).filter((id) => !this.#kept.has(id) && !this.#unable.has(id))
    if (!waiting.slice(0, wanted).includes(nodeId)) return []
    const { name, copy } = this.#current
    const action: KeepCatalogue = { kind: 'keep-catalogue', name, lengthBytes: copy.lengthBytes, hash: copy.hash }
    return [{ orderId: orderOf(name), epoch: context.identity.epoch, action }]
  }

  /** What became of the order. */
  answered(nodeId: NodeId, results: readonly OrderResult[]): void {
    const name = this.#current?.name
    if (name === undefined) return
    const answer = results.find(({ orderId }) => orderId === orderOf(name))
    if (answer !== undefined) (answer.done ? this.#kept : this.#unable).add(nodeId)
  }

  async *read(name: string): AsyncGenerator<Uint8Array> {
    if (this.#current?.name !== name) throw new TwofoldError('not-found', `there is no copy ${name} any more`)
    yield* this.#current.copy.read()
  }
}

function orderOf(name: string): string {
  return `catalogue-${name}`
}
