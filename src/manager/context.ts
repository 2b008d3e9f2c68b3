import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { Random } from '../core/random.ts'
import type { CatalogueCopies } from './catalogue-copies.ts'
import type { Catalogue } from './catalogue.ts'
import type { CopyChecks } from './copy-checks.ts'
import type { CopyCounts } from './copy-counts.ts'
import type { DurabilityReader } from './durability.ts'
import type { DamagedCopies } from './damaged-copies.ts'
import type { Drains } from './drain-state.ts'
import type { Identity } from './identity.ts'
import type { InventoryWatch } from './inventory-watch.ts'
import type { Leases } from './leases.ts'
import type { Lineage } from './lineage.ts'
import type { LogFeed } from './log-feed.ts'
import type { ManagerTime } from './manager-time.ts'
import type { Members } from './members.ts'
import type { PassingOrders } from './passing-orders.ts'
import type { PendingOrders } from './pending-orders.ts'
import type { RepairWatch } from './repair-watch.ts'
import type { Rebalance } from './rebalance-state.ts'
import type { RepairState } from './repair-state.ts'
import type { Shutdown } from './shutdown-state.ts'
import type { SoundPacks } from './sound-packs.ts'
import type { ManagerTiming } from './timing.ts'

/** What every part of the manager works with. */
export interface ManagerContext {
  readonly catalogue: Catalogue
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly timing: ManagerTiming
  readonly identity: Identity
  readonly time: ManagerTime
  readonly members: Members
  readonly leases: Leases
  readonly durability: DurabilityReader
  readonly copyCounts: CopyCounts
  readonly soundPacks: SoundPacks
  readonly repairWatch: RepairWatch
  readonly pendingOrders: PendingOrders
  /** Copies that nodes are to check because somebody could not read them. */
  readonly checks: CopyChecks
  readonly log: LogFeed
  /** Whether this catalogue is the newest one: ask it before anything is deleted, ended or given up. */
  readonly lineage: Lineage
  readonly catalogueCopies: CatalogueCopies
  /** How many checkpoints of backups are being looked through. */
  readonly checkpoints: { inWork: number }
  /** What this start of the manager has written into the log already. */
  readonly begun: { epoch: boolean }
  /** Those of which nothing is in the catalogue. */
  readonly orders: PassingOrders
  readonly inventories: InventoryWatch
  readonly damaged: DamagedCopies
  readonly repair: RepairState
  readonly drains: Drains
  readonly rebalance: Rebalance
  readonly shutdown: Shutdown
}
