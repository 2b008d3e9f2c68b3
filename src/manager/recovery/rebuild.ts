import { isTwofoldError } from '../../core/errors.ts'
import { chunkKey, fromHex, parseNodeId, randomHexId, toHex } from '../../core/ids.ts'
import { catalogueSliceRows, copiesDefault, minCopiesDefault } from '../../core/limits.ts'
import type { Random } from '../../core/random.ts'
import type { Manifest } from '../../format/manifest.ts'
import { decodeManifest } from '../../format/manifest.ts'
import { byteSetKey } from '../byte-list.ts'
import type { Catalogue, CatalogueWriter } from '../catalogue.ts'
import type { RecoveredSnapshot } from '../catalogue-rows.ts'
import { splitRefs } from '../chunk-refs.ts'
import { appendToLog } from '../commit-log.ts'
import { defaultVault } from '../identity.ts'
import { recoverySetting } from '../lineage-watch.ts'
import type { RecoveryFacts } from '../lineage-watch.ts'
import { encodePackSet } from '../pack-set.ts'
import { reachablePacks } from '../reachability.ts'
import { writeHistory } from './history.ts'
import type { LogFacts } from './log-facts.ts'
import { mergeLogs } from './merge-logs.ts'
import type { RebuildDeps, RebuildFacts, RecoverySummary } from './summary.ts'

/** Makes sense of what was gathered. */
export async function rebuild(deps: RebuildDeps, log: LogFacts, facts: RebuildFacts): Promise<RecoverySummary> {
  const { catalogue, clock } = deps
  await dropBrokenTrees(deps)
  await addVaults(deps, log)
  const found = await orderSnapshots(catalogue, log)
  const surplus: RecoveredSnapshot['snapshotId'][] = []
  const incomplete = new Set([...log.commits.keys()].filter((id) => !log.removed.has(id)))
  const deletions = [...log.deletions]
  let files = 0
  for (const { snapshotId } of found) {
    const record = await catalogue.read((tx) => tx.recovery.snapshot(snapshotId))
    if (record === undefined || log.removed.has(snapshotId)) continue
    const packs = await packsOf(deps, record)
    if (packs === undefined) continue
    incomplete.delete(snapshotId)
    if (!log.commits.has(snapshotId)) surplus.push(snapshotId)
    const manifest = decodeManifest(record.manifest)
    if (manifest.fileName !== '') files += 1
    await catalogue.write((tx) => addSnapshot(tx, log, { record, manifest, packs }))
    await clock.yield()
  }
  await catalogue.write(async (tx) => {
    for (const { vault, name, version, createdAtMs } of deletions) {
      const row = await tx.vaults.byName(vault)
      const taken = row === undefined ? [] : await tx.files.versions(row.id, name, { before: version + 1, limit: 1 })
      if (row === undefined || taken[0]?.version === version) continue
      await tx.files.add(row.id, { name, version, createdAtMs, commitSequence: 0 })
    }
  })
  await catalogue.write(async (tx) => {
    await log.scheduling.write(tx)
    for (const request of log.requests.values()) await tx.requests.add(request)
  })
  await writeHistory(deps)
  await mergeLogs(deps, facts)
  for (const snapshotId of surplus) await catalogue.write((tx) => sayCommitted(tx, snapshotId))
  return finish(deps, log, { facts, surplus, incomplete: [...incomplete], files })
}

/** From now on it is a snapshot like any other. */
async function sayCommitted(tx: CatalogueWriter, id: RecoveredSnapshot['snapshotId']): Promise<void> {
  const row = await tx.snapshots.find(id)
  if (row === undefined) return
  const { snapshotId, commitSequence, fileName, fileVersion, committedAtMs } = row
  const vault = (await tx.vaults.byId(row.vault))?.name
  await appendToLog(tx, 'commit', { vault, snapshotId, commitSequence, fileName, fileVersion, committedAtMs })
}

async function finish(
  { catalogue, clock, random }: RebuildDeps,
  log: LogFacts,
  outcome: { facts: RebuildFacts; surplus: string[]; incomplete: string[]; files: number },
): Promise<RecoverySummary> {
  const { surplus, incomplete, files } = outcome
  const { clusterId, epoch, reported, lost, damaged, held, ends } = outcome.facts
  return catalogue.write(async (tx) => {
    const forgiven = ends.map(({ sequence, hash }) => ({ sequence, hash: toHex(hash) }))
    await tx.settings.set('cluster-id', Buffer.from(clusterId))
    await tx.settings.set('epoch', Buffer.from(String(epoch)))
    // Without any log the next start begins one.
    if (log.clusterId !== '') await tx.settings.set('log-begun', Buffer.from('1'))
    const facts: RecoveryFacts = { forgiven, held, incomplete: incomplete.length }
    await tx.settings.set(recoverySetting, Buffer.from(JSON.stringify(facts)))
    for (const [index, id] of held.entries()) await addLost(tx, { random, nodeId: id, name: lost[index] ?? '' })
    await tx.recovery.clear()
    const snapshots = await tx.snapshots.summary()
    const packs = (await tx.vaults.all()).reduce((total, vault) => total + vault.packs, 0)
    const text = `${snapshots.count} snapshots, ${packs} packs, from ${reported.join(', ')}`
    const detail = lost.length === 0 ? text : `${text}; without ${lost.join(', ')}`
    const what = { kind: 'recover', timeMs: Math.round(clock.nowMs()), actor: 'manager', subject: clusterId }
    await tx.operations.add({ ...what, result: 'ok', detail, snapshotId: '', durationMs: 0 })
    const unknown = [...log.unknown.keys()]
    const counts = { packs, snapshots: snapshots.count, files }
    return { clusterId, epoch, reported, lost, ...counts, surplus, incomplete, damaged, unknown }
  })
}

/** A node that the recovery went on without is a dead one: it comes back, or somebody takes it out for good. */
async function addLost(
  tx: CatalogueWriter,
  { random, nodeId, name }: { readonly random: Random; readonly nodeId: string; readonly name: string },
): Promise<void> {
  const nodes = await tx.nodes.all()
  if (nodes.some(({ ref }) => ref.nodeId === nodeId)) return
  // Its name may have gone to the node that replaces it.
  const taken = name === '' || nodes.some(({ ref }) => ref.name === name)
  await tx.nodes.put({
    ref: {
      nodeId: parseNodeId(nodeId),
      incarnation: randomHexId(random),
      name: taken ? `lost-${nodeId.slice(0, 8)}` : name,
      address: 'unknown:1',
      failureDomain: '',
    },
    bootId: randomHexId(random),
    ...{ bootNumber: 0, registrationNumber: 0, capacityBytes: 1, usedBytes: 0, putSequence: 0 },
    publicKey: new Uint8Array(32),
    admin: 'active',
    programVersion: '',
  })
}

/**
 * Forgets trees that refer to what is nowhere, until none is left: what the catalogue says is committed must be
 * complete, or later backups would rely on it.
 */
async function dropBrokenTrees({ catalogue, clock }: RebuildDeps): Promise<void> {
  for (let dropped = true; dropped;) {
    dropped = false
    for (let id = 0; ;) {
      const from = id
      const trees = await catalogue.read((tx) => tx.recovery.treesAfter(from, 128))
      const last = trees.at(-1)
      if (last === undefined) break
      id = last.id
      for (const tree of trees) {
        if (await isComplete(catalogue, tree)) continue
        await catalogue.write((tx) => tx.recovery.dropTree(tree))
        dropped = true
      }
      await clock.yield()
    }
  }
}

async function isComplete(
  catalogue: Catalogue,
  tree: { readonly vault: number; readonly refs: Uint8Array },
): Promise<boolean> {
  const refs = [...new Map(splitRefs(tree.refs).map((id) => [chunkKey(id), id])).values()]
  for (let start = 0; start < refs.length; start += catalogueSliceRows) {
    const slice = refs.slice(start, start + catalogueSliceRows)
    if ((await catalogue.read((tx) => tx.chunks.find(tree.vault, slice))).includes(undefined)) return false
  }
  return true
}

/** Vaults without a pack exist as well, and the default one always. */
async function addVaults({ catalogue, random }: RebuildDeps, log: LogFacts): Promise<void> {
  await catalogue.write(async (tx) => {
    for (const vault of log.vaults.values()) {
      if ((await tx.vaults.byName(vault.name)) !== undefined) continue
      await tx.vaults.add({ ...vault, vaultId: fromHex(vault.vaultId) })
    }
    if ((await tx.vaults.byName(defaultVault)) !== undefined) return
    const counts = { copies: copiesDefault, minCopies: minCopiesDefault }
    await tx.vaults.add({ name: defaultVault, vaultId: random.bytes(16), ...counts })
  })
}

interface Found {
  readonly snapshotId: RecoveredSnapshot['snapshotId']
  readonly commitSequence: number
  readonly timeNs: bigint
}

/** All snapshot records: in the order of their commits, and then those that no log speaks of by their time. */
async function orderSnapshots(catalogue: Catalogue, log: LogFacts): Promise<Found[]> {
  const found: Found[] = []
  for (let after = ''; ;) {
    const from = after
    const page = await catalogue.read((tx) => tx.recovery.snapshotsAfter(from, 256))
    const last = page.at(-1)
    if (last === undefined) break
    after = last.snapshotId
    for (const { snapshotId, manifest } of page) {
      const commitSequence = log.commits.get(snapshotId)?.commitSequence ?? Number.MAX_SAFE_INTEGER
      found.push({ snapshotId, commitSequence, timeNs: decodeManifest(manifest).timeNs })
    }
  }
  return found.sort((a, b) => a.commitSequence - b.commitSequence || (a.timeNs < b.timeNs ? -1 : 1))
}

/** The packs that a snapshot needs; undefined when it is not complete. */
async function packsOf(deps: RebuildDeps, record: RecoveredSnapshot): Promise<ReadonlySet<number> | undefined> {
  const root = fromHex(record.snapshotId) as Parameters<typeof reachablePacks>[1]['root']
  try {
    return await reachablePacks(deps, { vault: record.vault, root, onSlice: () => undefined })
  } catch (error) {
    if (isTwofoldError(error, 'missing-chunks')) return undefined
    throw error
  }
}

interface Complete {
  readonly record: RecoveredSnapshot
  readonly manifest: Manifest
  readonly packs: ReadonlySet<number>
}

async function addSnapshot(tx: CatalogueWriter, log: LogFacts, found: Complete): Promise<void> {
  const { record, manifest, packs } = found
  const { snapshotId, vault } = record
  const { fileName } = manifest
  const logged = log.commits.get(snapshotId)
  const committedAtMs = logged?.committedAtMs || Number(manifest.timeNs / 1_000_000n)
  const name = (await tx.vaults.byId(vault))?.name ?? ''
  const wanted = logged?.fileVersion
  const fileVersion = fileName === '' ? 0 : await freeVersion(tx, log, { vault, name, fileName, wanted })
  const commitSequence = logged === undefined ? 0 : logged.commitSequence
  const free = commitSequence > (await tx.snapshots.newestSequence())
  const number = free ? { commitSequence } : {}
  const row = {
    snapshotId,
    vault,
    tree: manifest.tree,
    manifest: record.manifest,
    committedAtMs,
    fileName,
    fileVersion,
  }
  const keys = { host: manifest.host, pathsKey: byteSetKey(manifest.paths), packs: encodePackSet(packs) }
  const sequence = await tx.snapshots.add({ ...row, ...keys, ...number })
  await tx.snapshots.setExpiry(sequence, log.trashed.get(snapshotId) ?? 0)
  await tx.snapshots.setPin(sequence, log.pins.get(snapshotId))
  await tx.snapshots.setTags(sequence, log.tags.get(snapshotId))
  if (fileName === '') return
  const version = { name: fileName, version: fileVersion, createdAtMs: committedAtMs, commitSequence: sequence }
  await tx.files.add(vault, version)
}

/** The version that the log gave, unless another log gave it to another content; then one above all others. */
async function freeVersion(
  tx: CatalogueWriter,
  log: LogFacts,
  file: { vault: number; name: string; fileName: string; wanted: number | undefined },
): Promise<number> {
  const { vault, name, fileName, wanted } = file
  const newest = (await tx.files.newest(vault, fileName))?.version ?? 0
  const deleted = log.deletions.filter((each) => each.vault === name && each.name === fileName)
  if (wanted !== undefined && wanted > newest && !deleted.some((each) => each.version === wanted)) return wanted
  return Math.max(newest, ...deleted.map((each) => each.version)) + 1
}
