import type { Clock } from '../../core/clock.ts'
import type { ClusterId } from '../../core/ids.ts'
import type { Random } from '../../core/random.ts'
import type { ChainEnd } from '../../format/log-chain.ts'
import type { Catalogue } from '../catalogue.ts'

export interface RecoverySummary {
  readonly clusterId: ClusterId
  readonly epoch: number
  readonly reported: readonly string[]
  /** Nodes that it went on without. */
  readonly lost: readonly string[]
  readonly packs: number
  readonly snapshots: number
  readonly files: number
  /** Recovered although no log says that they were committed; nobody was told that they are there. */
  readonly surplus: readonly string[]
  /** Committed by a log, and not completely on the nodes that reported. */
  readonly incomplete: readonly string[]
  /** Damaged copies, in words. */
  readonly damaged: readonly string[]
  /** Kinds of log entries that this program does not know. */
  readonly unknown: readonly string[]
}

export interface RebuildDeps {
  readonly catalogue: Catalogue
  readonly older?: Catalogue | undefined
  readonly clock: Clock
  readonly random: Random
}

export interface RebuildFacts extends Pick<RecoverySummary, 'clusterId' | 'epoch' | 'reported' | 'lost' | 'damaged'> {
  /** Ends of all logs that any node has or heard of. */
  readonly ends: readonly ChainEnd[]
  /** Ids of the nodes that it went on without. */
  readonly held: readonly string[]
}
