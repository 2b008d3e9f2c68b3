import { packStreamBytesMin, scrubPeriodMs, trashWindowMs } from '../../src/core/limits.ts'
import type { RoomSizes } from '../../src/node/node-room.ts'
import type { ManagerTiming } from '../../src/manager/timing.ts'
import type { NetworkFaults } from './sim-network.ts'
import { SeededRandom } from '../support/seeded-random.ts'

/** What processes, connections and disks suffer now and then; how the network misbehaves all the time is apart. */
export const strikeKinds = [
  'crash-node',
  'crash-manager',
  'crash-client',
  'pause-client',
  'power-loss',
  'pause-node',
  'pause-manager',
  'partition',
  'full-disk',
  'disk-error',
] as const

/** What is lost for good, or comes back as it was before; a fault atlas says when. */
export const damageKinds = [
  'rot',
  'read-error',
  'unmounted-disk',
  'wiped-disk',
  'older-disk',
  'older-catalogue',
  'clock-jump',
  'twin',
] as const

export type StrikeKind = (typeof strikeKinds)[number]
export type DamageKind = (typeof damageKinds)[number]
export type FaultKind = StrikeKind | DamageKind

/** The kinds of faults that strike now and then. */
export const faultKinds: readonly FaultKind[] = [...strikeKinds, ...damageKinds]

/** What one seed is like. Whole classes of faults are on or off, so that each is also met without the others. */
export interface Profile {
  readonly seed: number
  readonly nodes: number
  readonly clients: number
  /** How long faults strike, in virtual milliseconds. */
  readonly chaosMs: number
  /** Mean time between two strikes, in virtual milliseconds. */
  readonly faultEveryMs: number
  /** Mean time between two losses, in virtual milliseconds. */
  readonly damageEveryMs: number
  readonly kinds: readonly FaultKind[]
  readonly network: NetworkFaults
  readonly catalogueLostShare: number
  readonly catalogueSlowShare: number
  readonly timing: Partial<ManagerTiming>
  /** Of each node: on some seeds there is room for one pack and one read at a time. */
  readonly room: RoomSizes
  /** Within what time nodes read all their packs again, in virtual milliseconds. */
  readonly scrubPeriodMs: number
}

export function drawProfile(seed: number): Profile {
  const random = new SeededRandom(seed * 7919 + 1)
  const pick = <T>(choices: readonly T[]): T => choices[Math.floor(random.fraction() * choices.length)] as T
  const profile = {
    seed,
    nodes: pick([3, 4, 5]),
    clients: pick([1, 2, 3]),
    chaosMs: pick([15_000, 40_000]),
    faultEveryMs: pick([1000, 4000, 15_000]),
    kinds: strikeKinds.filter(() => random.fraction() < 0.5),
    network: {
      lossShare: pick([0, 0, 0.01, 0.06]),
      repeatShare: pick([0, 0.05, 0.2]),
      slowShare: pick([0, 0.02, 0.1]),
      breakShare: pick([0, 0, 0.1, 0.3]),
      damageShare: pick([0, 0, 0.01, 0.05]),
    },
    catalogueLostShare: pick([0, 0, 0.02]),
    catalogueSlowShare: pick([0, 0, 0.1]),
    timing: {
      suspectAfterMs: pick([2500, 5000]),
      deadAfterMs: pick([8000, 20_000]),
      nodeLeaseMs: pick([6000, 15_000]),
      sessionLeaseMs: pick([5000, 20_000, 60_000]),
      trashWindowMs: pick([0, 5000, trashWindowMs]),
    },
    room: pick([{}, {}, { uploads: packStreamBytesMin, replications: packStreamBytesMin, reads: 1 }]),
  }
  const damage = drawDamage(seed)
  return { ...profile, ...damage, kinds: [...profile.kinds, ...damage.kinds] }
}

/** By a chance of its own, and in half of the seeds nothing: what else strikes stays as it is. */
function drawDamage(seed: number): Pick<Profile, 'damageEveryMs' | 'scrubPeriodMs'> & { kinds: DamageKind[] } {
  const random = new SeededRandom(seed * 6007 + 13)
  const pick = <T>(choices: readonly T[]): T => choices[Math.floor(random.fraction() * choices.length)] as T
  const damaged = random.fraction() < 0.5
  const kinds = damageKinds.filter(() => random.fraction() < 0.4 && damaged)
  const damageEveryMs = pick([1500, 4000, 10_000])
  return { kinds, damageEveryMs, scrubPeriodMs: kinds.length === 0 ? scrubPeriodMs : pick([20_000, 120_000]) }
}
