import { disorder, requireLinearLog } from './disorder.ts'
import { Faults } from './faults.ts'
import { Housekeeper } from './housekeeper.ts'
import { Operator } from './operator.ts'
import { Oracle } from './oracle.ts'
import { drawProfile } from './profile.ts'
import type { Profile } from './profile.ts'
import { MemoryTarget } from '../support/memory-target.ts'
import { SimWorld } from './sim-world.ts'
import { Violation } from './violation.ts'
import { commonContents, nothingDone, restoreAndCompare, Workload } from './workload.ts'
import type { Actor, WorkloadCounts } from './workload.ts'

export interface SeedResult {
  readonly seed: number
  readonly hash: string
  readonly events: number
  readonly virtualMs: number
  readonly counts: WorkloadCounts & { readonly snapshots: number }
  readonly faults: Readonly<Record<string, number>>
  /** What went wrong, if anything did. */
  readonly failure: Error | undefined
}

export interface SeedOptions {
  readonly profile?: Profile
  readonly onTrace?: (line: string) => void
}

const packBytes = 256 * 1024
const checkEveryMs = 1000
/** How long a healed world may take until everything has its copies and no garbage is left. */
const healMs = 300_000

/** Runs one seed: chaos, in which safety is checked all the time, then healing, after which all must be right. */
export async function runSeed(seed: number, options: SeedOptions = {}): Promise<SeedResult> {
  const profile = options.profile ?? drawProfile(seed)
  const faults = new Faults(profile)
  const { nodes, timing, room } = profile
  const onTrace = options.onTrace === undefined ? {} : { onTrace: options.onTrace }
  const world = await SimWorld.start({
    ...{ seed, nodes, timing, room, packBytes, onDisk: faults.onDisk },
    scrub: { periodMs: profile.scrubPeriodMs, bytesPerSecond: 0 },
    onFound: (session, chunks) => oracle.pins.found(session, chunks),
    ...onTrace,
  })
  const oracle: Oracle = new Oracle(world)
  const { promise: failed, reject: fail } = Promise.withResolvers<never>()
  failed.catch(() => undefined)
  const deps = { world, oracle, faults, profile, fail, common: commonContents(seed) }
  const machines = Array.from({ length: profile.clients }, (_, number) => new Workload(deps, number))
  const actors: readonly Actor[] = [...machines, new Housekeeper(deps)]
  let failure: Error | undefined
  try {
    await world.scheduler.run(Promise.race([live(), failed]), 2 * profile.chaosMs + healMs + 3_600_000)
  } catch (error) {
    failure = error as Error
  }
  const counts = { ...sumOf(actors.map((actor) => actor.counts)), snapshots: oracle.acknowledged.length }
  const virtualMs = world.scheduler.nowMs
  const result = { seed, events: world.trace.count, virtualMs, counts, faults: faults.counts, failure }
  await world.close()
  return { ...result, hash: world.trace.hash() }

  async function live(): Promise<void> {
    const operator = new Operator({ world, oracle, fail })
    faults.begin({ world, oracle, operator, fail })
    void operator.run()
    for (const actor of actors) actor.run(actor instanceof Housekeeper ? 3000 : 1000).catch(fail)
    for (let left = profile.chaosMs; left > 0; left -= checkEveryMs) {
      await world.scheduler.delay(checkEveryMs)
      await oracle.check()
    }
    for (const actor of actors) actor.end()
    faults.end()
    await healed(world, oracle)
    await requireLinearLog(world)
    for (const snapshot of oracle.acknowledged) await restoreAndCompare(world, snapshot, { complete: true })
    await requireNothingPartial(world, oracle)
  }
}

function sumOf(all: readonly WorkloadCounts[]): WorkloadCounts {
  const sum = nothingDone()
  for (const name of Object.keys(sum) as (keyof WorkloadCounts)[]) {
    for (const counts of all) sum[name] += counts[name]
  }
  return sum
}

/** Waits until a world in which nothing fails any more is in order. @throws Violation `I7` when it takes too long. */
async function healed(world: SimWorld, oracle: Oracle): Promise<void> {
  const untilMs = world.scheduler.nowMs + healMs
  for (;;) {
    await world.scheduler.delay(5000)
    await oracle.check()
    const wrong = await disorder(world, oracle)
    if (wrong === undefined) return
    if (world.scheduler.nowMs > untilMs) throw new Violation('I7', `after ${healMs / 1000} s without faults ${wrong}`)
  }
}

/** @throws Violation `I3` when a snapshot is listed that does not come back whole, also one that nobody was told of. */
async function requireNothingPartial(world: SimWorld, { acknowledged }: Oracle): Promise<void> {
  const { client } = world.client()
  const restored = new Set(acknowledged.map(({ id }) => id))
  const runs = new Set<string>()
  for await (const { id, manifest } of client.snapshots()) {
    const run = `${manifest.sessionId} ${manifest.timeNs}`
    if (runs.has(run)) throw new Violation('I4', `snapshot ${id} is the second one of its run`)
    runs.add(run)
    if (restored.has(id)) continue
    const { problems } = await client.restore({ reference: id, target: new MemoryTarget() })
    if (problems > 0) throw new Violation('I3', `snapshot ${id} is listed, and ${problems} files of it are missing`)
  }
}
