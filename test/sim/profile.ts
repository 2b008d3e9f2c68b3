import { packStreamBytesMin } from '../../src/core/limits.ts'
import type { RoomSizes } from '../../src/node/node-room.ts'
import type { ManagerTiming } from '../../src/manager/timing.ts'
import type { NetworkFaults } from './sim-network.ts'
import { SeededRandom } from '../support/seeded-random.ts'

/** The kinds of faults that strike now and then; how the network and the catalogue misbehave all the time is apart. */
export const faultKinds = [
  'crash-node',
  'crash-manager',
  'crash-client',
  'power-loss',
  'pause-node',
  'pause-manager',
  'partition',
  'full-disk',
  'disk-error',
] as const

export type FaultKind = (typeof faultKinds)[number]

/** What one seed is like. Whole classes of faults are on or off, so that each is also met without the others. */
export interface Profile {
  readonly seed: number
  readonly nodes: number
  readonly clients: number
  /** How long faults strike, in virtual milliseconds. */
  readonly chaosMs: number
  /** Mean time between two faults, in virtual milliseconds. */
  readonly faultEveryMs: number
  readonly kinds: readonly FaultKind[]
  readonly network: NetworkFaults
  readonly catalogueLostShare: number
  readonly timing: Partial<ManagerTiming>
  /** Of each node: on some seeds there is room for one pack and one read at a time. */
  readonly room: RoomSizes
}

export function drawProfile(seed: number): Profile {
  const random = new SeededRandom(seed * 7919 + 1)
  const pick = <T>(choices: readonly T[]): T => choices[Math.floor(random.fraction() * choices.length)] as T
  return {
    seed,
    nodes: pick([3, 4, 5]),
    clients: pick([1, 2, 3]),
    chaosMs: pick([20_000, 60_000]),
    faultEveryMs: pick([700, 2500, 8000]),
    kinds: faultKinds.filter(() => random.fraction() < 0.5),
    network: {
      lossShare: pick([0, 0, 0.01, 0.06]),
      repeatShare: pick([0, 0.05, 0.2]),
      slowShare: pick([0, 0.02, 0.1]),
    },
    catalogueLostShare: pick([0, 0, 0.02]),
    timing: {
      suspectAfterMs: pick([2500, 5000]),
      deadAfterMs: pick([8000, 20_000]),
      nodeLeaseMs: pick([6000, 15_000]),
      sessionLeaseMs: pick([5000, 20_000, 60_000]),
    },
    room: pick([{}, {}, { uploads: packStreamBytesMin, replications: packStreamBytesMin, reads: 1 }]),
  }
}
