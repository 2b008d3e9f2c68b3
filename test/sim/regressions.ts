import type { Profile } from './profile.ts'
import { noNetworkFaults } from './sim-network.ts'

/** A case that once failed, as small as it could be made. */
export interface Regression {
  /** What it was, and what mended it. */
  readonly was: string
  /** All of it: what a seed draws changes with the generator, and these cases must not. */
  readonly profile: Profile
}

/** Cases that failed once. Each stays mended. */
export const regressions: readonly Regression[] = [
  {
    was: 'a recovery counts a chunk of two packs in the one that has too few copies',
    profile: {
      seed: 4,
      nodes: 3,
      clients: 3,
      chaosMs: 8000,
      faultEveryMs: 4000,
      damageEveryMs: 1500,
      kinds: ['older-catalogue'],
      network: noNetworkFaults,
      catalogueLostShare: 0,
      catalogueSlowShare: 0,
      timing: {
        suspectAfterMs: 2500,
        deadAfterMs: 20_000,
        nodeLeaseMs: 15_000,
        sessionLeaseMs: 60_000,
        trashWindowMs: 0,
      },
      room: {},
      scrubPeriodMs: 120_000,
    },
  },
  {
    was: 'a node reports wrong references of a rotten tree to a recovery, and snapshots are left out',
    profile: {
      seed: 773,
      nodes: 3,
      clients: 3,
      chaosMs: 40000,
      faultEveryMs: 15000,
      kinds: [
        'crash-manager',
        'crash-client',
        'pause-client',
        'partition',
        'disk-error',
        'rot',
        'read-error',
        'unmounted-disk',
        'wiped-disk',
        'older-disk',
        'older-catalogue',
        'clock-jump',
      ],
      network: { lossShare: 0, repeatShare: 0, slowShare: 0.1, breakShare: 0, damageShare: 0.05 },
      catalogueLostShare: 0,
      catalogueSlowShare: 0.1,
      timing: { suspectAfterMs: 5000, deadAfterMs: 8000, nodeLeaseMs: 6000, sessionLeaseMs: 20000, trashWindowMs: 0 },
      room: {},
      damageEveryMs: 4000,
      scrubPeriodMs: 120000,
    },
  },
  {
    was: 'a pack that was on its way when a recovery took it in is taken back by its primary afterwards',
    profile: {
      seed: 1132,
      nodes: 4,
      clients: 3,
      chaosMs: 20000,
      faultEveryMs: 15000,
      kinds: ['pause-client', 'power-loss', 'full-disk', 'older-catalogue', 'twin'],
      network: { lossShare: 0.01, repeatShare: 0.05, slowShare: 0, breakShare: 0, damageShare: 0.01 },
      catalogueLostShare: 0,
      catalogueSlowShare: 0,
      timing: {
        suspectAfterMs: 5000,
        deadAfterMs: 20000,
        nodeLeaseMs: 6000,
        sessionLeaseMs: 5000,
        trashWindowMs: 604800000,
      },
      room: {},
      damageEveryMs: 10000,
      scrubPeriodMs: 20000,
    },
  },
  {
    was: 'a recovery takes in a pack that nothing needs and that has no good copy: it goes with the next prune',
    profile: {
      seed: 212,
      nodes: 3,
      clients: 3,
      chaosMs: 15000,
      faultEveryMs: 4000,
      kinds: ['rot', 'read-error', 'wiped-disk', 'older-catalogue'],
      network: { lossShare: 0.06, repeatShare: 0, slowShare: 0.02, breakShare: 0, damageShare: 0 },
      catalogueLostShare: 0,
      catalogueSlowShare: 0,
      timing: { suspectAfterMs: 2500, deadAfterMs: 8000, nodeLeaseMs: 6000, sessionLeaseMs: 5000, trashWindowMs: 5000 },
      room: {},
      damageEveryMs: 1500,
      scrubPeriodMs: 120000,
    },
  },
]

/** The text of an entry for the list above. */
export function regressionOf(profile: Profile, was: string): string {
  return `  {\n    was: ${JSON.stringify(was)},\n    profile: ${JSON.stringify(profile)},\n  },`
}
