import { scrubPeriodMs, trashWindowMs } from '../../src/core/limits.ts'
import type { Profile } from './profile.ts'
import { noNetworkFaults } from './sim-network.ts'

/** Worlds in which a rule matters often, for mutants that other seeds notice too rarely. Nothing else strikes. */
const calm: Partial<Profile> = {
  chaosMs: 40_000,
  clients: 3,
  kinds: [],
  network: noNetworkFaults,
  catalogueLostShare: 0,
  catalogueSlowShare: 0,
}

/** Disks that fail for a moment, and lose power soon after. */
export const failingDisks: Partial<Profile> = { ...calm, kinds: ['disk-error', 'power-loss'], faultEveryMs: 1000 }

/** Connections that break while the catalogue takes its time, so that nobody hears what became of a commit. */
export const brokenAnswers: Partial<Profile> = {
  ...calm,
  network: { ...noNetworkFaults, breakShare: 0.6 },
  catalogueSlowShare: 0.5,
}

/** Requests that arrive again, up to a minute late, where what was forgotten can long be brought back. */
export const lateRequests: Partial<Profile> = {
  ...calm,
  chaosMs: 60_000,
  network: { ...noNetworkFaults, repeatShare: 1 },
  timing: { suspectAfterMs: 5000, deadAfterMs: 20_000, nodeLeaseMs: 15_000, sessionLeaseMs: 20_000, trashWindowMs },
}

/** Disks of minutes ago. */
export const olderDisks: Partial<Profile> = { ...calm, kinds: ['older-disk'], damageEveryMs: 1500, scrubPeriodMs }

/** A catalogue of seconds ago, while nodes and the manager often do not hear each other. */
export const olderCatalogues: Partial<Profile> = {
  ...calm,
  kinds: ['older-catalogue', 'partition', 'crash-manager'],
  faultEveryMs: 4000,
  damageEveryMs: 1500,
}

/** Nodes that fall silent while clients send packs to them, and whose messages arrive late and again. */
export const lateNodes: Partial<Profile> = {
  ...calm,
  kinds: ['pause-node', 'pause-manager', 'crash-client', 'crash-node'],
  faultEveryMs: 1000,
  network: { ...noNetworkFaults, lossShare: 0.03, repeatShare: 0.5, slowShare: 0.2, breakShare: 0.3 },
}
