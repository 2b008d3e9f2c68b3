import { isTwofoldError } from '../../src/core/errors.ts'
import { requireChain } from '../../src/format/log-chain.ts'
import type { CatalogueReader } from '../../src/manager/catalogue.ts'
import { parseFacts, recoverySetting } from '../../src/manager/lineage-watch.ts'
import { parseFileName } from '../../src/node/pack-file-name.ts'
import { packFiles } from './oracle.ts'
import type { Oracle } from './oracle.ts'
import type { SimNode, SimWorld } from './sim-world.ts'

/** What is not as it should be in a world in which nothing fails any more; undefined for nothing. */
export async function disorder(world: SimWorld, oracle: Oracle): Promise<string | undefined> {
  if (oracle.inDoubt) return 'nobody knows whether the catalogue is the newest'
  const told = await problemTold(world)
  if (told !== undefined) return told
  if (!(await oracle.redundant(2))) return 'something that was acknowledged has one copy'
  return (await unfinished(world)) ?? (await badOnDisks(world, oracle)) ?? (await wronglyCounted(world, oracle))
}

/** What the manager itself says. */
async function problemTold(world: SimWorld): Promise<string | undefined> {
  const { client } = world.client()
  try {
    const status = await client.status()
    if (status.lineage !== 'verified') return `the catalogue is ${status.lineage}: ${status.lineageProblem}`
    // Whoever was to take them into use again may have been killed.
    for (const { node, state } of status.nodes) if (state.startsWith('drain')) await client.resumeNode(node.nodeId)
    const up = status.nodes.filter(({ state }) => state === 'up')
    if (up.length < world.nodes.length) {
      const others = status.nodes.filter((node) => !up.includes(node) && node.state !== 'removed')
      const each = others.map(({ node, state, problem }) => `${node.name} ${state} ${problem}`)
      return `not all nodes are up: ${each.join()}`
    }
    if (status.lineageProblem !== '') return status.lineageProblem
    if (status.safeMode) return 'the manager is in safe mode'
    const reserving = status.nodes.find(({ reservedBytes }) => reservedBytes > 0)
    if (reserving !== undefined) return `${reserving.reservedBytes} bytes are reserved on ${reserving.node.name}`
    const { packsDegraded, packsUnavailable, packsUnknown } = status
    const stray = await strayDamage(world)
    // A recovery may have found packs that nothing needs, and of which no copy is good: a person prunes then.
    if (packsUnavailable > 0 || stray.size > 0) await client.prune({ unusedPermilleMax: 1000, noRepack: true })
    const mayStay = (await incompleteRecovery(world)) ? stray.size : 0
    const copiesDamaged = status.copiesDamaged - mayStay
    const counts = { packsDegraded, packsUnavailable, packsUnknown, copiesDamaged }
    const wrong = Object.entries(counts).filter(([, count]) => count > 0)
    return wrong.length === 0 ? undefined : `the status has ${JSON.stringify(Object.fromEntries(wrong))}`
  } catch (error) {
    // A manager that was busy elsewhere answers the next time.
    if (isTwofoldError(error, 'unavailable', 'deadline-exceeded')) return 'the manager does not answer'
    throw error
  }
}

/** Whether the last recovery could not bring back everything that a log says was committed. */
async function incompleteRecovery(world: SimWorld): Promise<boolean> {
  return parseFacts(await world.catalogue.read((tx) => tx.settings.get(recoverySetting))).incomplete > 0
}

/**
 * Damaged copies, as `node path`, of packs that the catalogue does not know, as one that was made again from the nodes
 * may not: they are kept until a person prunes, and longer when something is missing.
 */
async function strayDamage(world: SimWorld): Promise<ReadonlySet<string>> {
  const stray = new Set<string>()
  await world.catalogue.read(async (tx) => {
    for (const { name, disk } of world.nodes) {
      for (const file of disk.files().filter((path) => path.startsWith('quarantine/'))) {
        const put = parseFileName(file.slice('quarantine/'.length))
        if (put !== undefined && (await tx.packs.find(put.packId)) === undefined) stray.add(`${name} ${file}`)
      }
    }
  })
  return stray
}

async function unfinished(world: SimWorld): Promise<string | undefined> {
  const { sessions, packs } = await world.catalogue.read(async (tx) => ({
    sessions: await tx.sessions.open(),
    packs: await tx.packs.open(),
  }))
  if (sessions.length > 0) return `${sessions.length} sessions are open`
  if (packs.length > 0) return `${packs.length} packs are open`
  return undefined
}

async function badOnDisks(world: SimWorld, oracle: Oracle): Promise<string | undefined> {
  for (const node of world.nodes) {
    if (node.process.dead) return `${node.name} does not run`
    const files = node.disk.files()
    const incoming = files.filter((file) => file.startsWith('incoming/'))
    if (incoming.length > 0) return `${node.name} has half-written packs: ${incoming.join(', ')}`
    const stray = (await incompleteRecovery(world)) ? await strayDamage(world) : new Set()
    const aside = files.filter((file) => file.startsWith('quarantine/') && !stray.has(`${node.name} ${file}`))
    if (aside.length > 0) return `${node.name} has packs aside: ${aside.join(', ')}`
    const damaged = oracle.damagedOn(node)
    if (damaged.length > 0) return `${node.name} has damaged packs: ${damaged.join(', ')}`
    const garbage = await unknownPacks(world, node)
    if (garbage.length > 0) return `${node.name} has packs that nobody knows there: ${garbage.join(', ')}`
  }
  return undefined
}

async function unknownPacks(world: SimWorld, node: SimNode): Promise<string[]> {
  return world.catalogue.read(async (tx) => {
    const row = await rowOf(tx, node)
    const unknown: string[] = []
    for (const { packId } of packFiles(node)) {
      const pack = await tx.packs.find(packId as Parameters<typeof tx.packs.find>[0])
      const [copies] = pack === undefined ? [[]] : await tx.copies.of([pack.id])
      if (copies?.some((copy) => copy.node === row) !== true) unknown.push(packId)
    }
    return unknown
  })
}

/** The row of the store that serves now; others of the same name were removed. */
async function rowOf(tx: CatalogueReader, node: SimNode): Promise<number | undefined> {
  return (await tx.nodes.all()).find(({ ref, admin }) => ref.name === node.name && admin !== 'removed')?.id
}

/** Copies in the catalogue that are not on the disk. */
async function wronglyCounted(world: SimWorld, oracle: Oracle): Promise<string | undefined> {
  return world.catalogue.read(async (tx) => {
    const byRow = new Map<number | undefined, SimNode>()
    for (const node of world.nodes) byRow.set(await rowOf(tx, node), node)
    for (let after = 0; ;) {
      const page = await tx.packs.withCopies(after, 1000)
      const last = page.at(-1)
      if (last === undefined) return undefined
      after = last.pack
      for (const { pack, copies } of page) {
        const [row] = await tx.packs.byIds([pack])
        for (const { node } of copies) {
          const holder = byRow.get(node)
          if (row !== undefined && holder !== undefined && oracle.hasWhole(holder, row.packId)) continue
          return `a copy of pack ${row?.packId} on ${holder?.name ?? `row ${node}`} is counted, and not there`
        }
      }
    }
  })
}

/** @throws TwofoldError `integrity` when the log is no chain. */
export async function requireLinearLog(world: SimWorld): Promise<void> {
  requireChain(undefined, await world.catalogue.read((tx) => tx.log.after(0, 1_000_000)))
}
