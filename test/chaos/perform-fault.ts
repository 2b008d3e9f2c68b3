import { setTimeout as sleep } from 'node:timers/promises'
import { packFiles } from '../e2e/running-backup.ts'
import { damagePack } from './damage-pack.ts'
import type { FaultProxy } from './fault-proxy.ts'
import { nodeOfDisk } from './fault-script.ts'
import type { Fault, FaultKind } from './fault-script.ts'
import type { Stage } from './stage.ts'
import type { WorkingClient } from './working-client.ts'

export interface Actors {
  readonly stage: Stage
  readonly clients: readonly WorkingClient[]
}

/** How long a disk may be without a pack before it cannot rot: on a busy machine the first backups take a while. */
const firstPackMs = 60_000
const lookAgainMs = 100

/** What a fault does, and what ends it. */
interface Act {
  readonly begin: (fault: Fault, actors: Actors) => void | Promise<void>
  readonly end?: (fault: Fault, actors: Actors) => void | Promise<void>
}

const proxyOf = ({ on }: Fault, { stage }: Actors): FaultProxy => stage.proxy(on)
const start = ({ on }: Fault, { stage }: Actors): Promise<void> => stage.start(on)
/** Cuts and flips are armed: what nothing ran into is forgotten. Links are exclusive, so nothing else is healed. */
const healLink = (fault: Fault, actors: Actors): void => proxyOf(fault, actors).heal()

const acts: Readonly<Record<FaultKind, Act>> = {
  kill: { begin: ({ on }, { stage }) => stage.kill(on), end: start },
  restart: { begin: ({ on }, { stage }) => stage.kill(on, 'SIGTERM'), end: start },
  pause: { begin: ({ on }, { stage }) => stage.pause(on), end: ({ on }, { stage }) => stage.resume(on) },
  power: {
    begin: async (_, { stage }) => void (await Promise.all(stage.servers.map((name) => stage.kill(name)))),
    end: async (_, { stage }) => void (await Promise.all(stage.servers.map((name) => stage.start(name)))),
  },
  'kill-client': { begin: ({ on, amount }, { clients }) => clients.find(({ name }) => name === on)?.doom(amount) },
  partition: {
    begin: (fault, actors) => proxyOf(fault, actors).set({ blackhole: true }, fault.direction),
    end: healLink,
  },
  slow: {
    begin: (fault, actors) =>
      proxyOf(fault, actors).set({ latencyMs: fault.amount, jitterMs: fault.amount / 2 }, fault.direction),
    end: healLink,
  },
  narrow: {
    begin: (fault, actors) => proxyOf(fault, actors).set({ bytesPerSecond: fault.amount }, fault.direction),
    end: healLink,
  },
  reset: { begin: (fault, actors) => proxyOf(fault, actors).reset() },
  'half-close': { begin: (fault, actors) => proxyOf(fault, actors).halfClose(fault.direction ?? 'up') },
  cut: {
    begin: (fault, actors) => proxyOf(fault, actors)[fault.direction ?? 'up'].cutAfter(fault.amount),
    end: healLink,
  },
  flip: {
    begin: (fault, actors) => proxyOf(fault, actors)[fault.direction ?? 'up'].flipAfter(fault.amount),
    end: healLink,
  },
  fill: {
    begin: ({ on, amount }, { stage }) => stage.fillDisk(on, amount),
    end: async ({ on }, { stage }) => {
      stage.emptyDisk(on)
      await restart(on, stage)
    },
  },
  shrink: {
    begin: ({ on, amount }, { stage }) => {
      stage.setCapacity(on, Math.max(1, amount))
      return restart(on, stage)
    },
    end: ({ on }, { stage }) => {
      stage.setCapacity(on, undefined)
      return restart(on, stage)
    },
  },
  corrupt: { begin: ({ on, amount }, { stage }) => corrupt(nodeOfDisk(on), amount, stage) },
}

/** Does it to the cluster, and resolves when it is over. */
export async function performFault(fault: Fault, actors: Actors): Promise<void> {
  const { begin, end } = acts[fault.kind]
  await begin(fault, actors)
  await sleep(fault.forMs)
  await end?.(fault, actors)
}

async function restart(name: string, stage: Stage): Promise<void> {
  await stage.kill(name)
  await stage.start(name)
}

/** Damages one pack on its disk, as soon as it has one. The other copies of it stay good. */
async function corrupt(node: string, amount: number, stage: Stage): Promise<void> {
  const giveUpAtMs = performance.now() + firstPackMs
  let what = damagePack(packFiles(stage.cluster, node), amount)
  while (what === undefined && performance.now() < giveUpAtMs) {
    await sleep(lookAgainMs)
    what = damagePack(packFiles(stage.cluster, node), amount)
  }
  if (what !== undefined) stage.damaged.push(what)
}
