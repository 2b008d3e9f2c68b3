import { isTwofoldError } from '../../src/core/errors.ts'
import { Faults } from './faults.ts'
import { Oracle, packFiles, Violation } from './oracle.ts'
import { drawProfile } from './profile.ts'
import type { Profile } from './profile.ts'
import { SimWorld } from './sim-world.ts'
import { restoreAndCompare, Workload } from './workload.ts'
import type { WorkloadCounts } from './workload.ts'

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
const checkEveryMs = 500
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
    ...onTrace,
  })
  const oracle = new Oracle(world)
  const { promise: failed, reject: fail } = Promise.withResolvers<never>()
  failed.catch(() => undefined)
  const workloads = Array.from(
    { length: profile.clients },
    (_, number) => new Workload({ world, oracle, faults, profile, fail }, number),
  )
  let failure: Error | undefined
  try {
    await world.scheduler.run(Promise.race([live(), failed]), 2 * profile.chaosMs + healMs + 3_600_000)
  } catch (error) {
    failure = error as Error
  }
  const sum = (count: keyof WorkloadCounts): number => workloads.reduce((total, { counts }) => total + counts[count], 0)
  const counts = {
    ...{ saved: sum('saved'), refused: sum('refused'), restored: sum('restored'), pruned: sum('pruned') },
    ...{ forgotten: sum('forgotten'), undeleted: sum('undeleted') },
    snapshots: oracle.acknowledged.length,
  }
  const virtualMs = world.scheduler.nowMs
  const result = { seed, events: world.trace.count, virtualMs, counts, faults: faults.counts, failure }
  await world.close()
  return { ...result, hash: world.trace.hash() }

  async function live(): Promise<void> {
    faults.begin(world)
    for (const workload of workloads) workload.run().catch(fail)
    for (let left = profile.chaosMs; left > 0; left -= checkEveryMs) {
      await world.scheduler.delay(checkEveryMs)
      await oracle.check()
    }
    for (const workload of workloads) workload.end()
    faults.end()
    await healed(world, oracle)
    for (const snapshot of oracle.acknowledged) await restoreAndCompare(world, snapshot, { complete: true })
  }
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

/** What is not as it should be; undefined for nothing. */
async function disorder(world: SimWorld, oracle: Oracle): Promise<string | undefined> {
  if (!(await allUp(world))) return 'not all nodes are up'
  if (!(await oracle.redundant(2))) return 'something that was acknowledged has one copy'
  const { sessions, packs } = await world.catalogue.read(async (tx) => ({
    sessions: await tx.sessions.open(),
    packs: await tx.packs.open(),
  }))
  if (sessions.length > 0) return `${sessions.length} sessions are open`
  if (packs.length > 0) return `${packs.length} packs are open`
  for (const node of world.nodes) {
    if (node.process.dead) return `${node.name} does not run`
    const incoming = node.disk.files().filter((file) => file.startsWith('incoming/'))
    if (incoming.length > 0) return `${node.name} has half-written packs: ${incoming.join(', ')}`
    const garbage = await unknownPacks(world, node)
    if (garbage.length > 0) return `${node.name} has packs that nobody knows there: ${garbage.join(', ')}`
  }
  return undefined
}

async function allUp(world: SimWorld): Promise<boolean> {
  const { client } = world.client()
  try {
    return (await client.nodes()).filter(({ state }) => state === 'up').length >= world.nodes.length
  } catch (error) {
    // A manager that was busy elsewhere answers the next time.
    if (isTwofoldError(error, 'unavailable', 'deadline-exceeded')) return false
    throw error
  }
}

async function unknownPacks(world: SimWorld, node: SimWorld['nodes'][number]): Promise<string[]> {
  return world.catalogue.read(async (tx) => {
    const row = (await tx.nodes.all()).find(({ ref }) => ref.name === node.name)
    const unknown: string[] = []
    for (const { packId } of packFiles(node)) {
      const pack = await tx.packs.find(packId as Parameters<typeof tx.packs.find>[0])
      const [copies] = pack === undefined ? [[]] : await tx.copies.of([pack.id])
      if (copies?.some((copy) => copy.node === row?.id) !== true) unknown.push(packId)
    }
    return unknown
  })
}
