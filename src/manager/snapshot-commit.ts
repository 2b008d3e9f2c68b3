import { TwofoldError, isTwofoldError } from '../core/errors.ts'
import { fromHex, toHex } from '../core/ids.ts'
import type { ChunkId } from '../core/ids.ts'
import { catalogueSliceRows } from '../core/limits.ts'
import type { CommitSnapshotRequest } from '../core/messages.ts'
import type { CommittedSnapshot } from '../core/model.ts'
import { blake3 } from '../format/hash.ts'
import { decodeManifest } from '../format/manifest.ts'
import type { Manifest } from '../format/manifest.ts'
import { byteSetKey } from './byte-list.ts'
import type { CatalogueReader, CatalogueWriter } from './catalogue.ts'
import type { PackRow, SessionRow, SnapshotRow, VaultRow } from './catalogue-rows.ts'
import { appendToLog } from './commit-log.ts'
import type { ManagerContext } from './context.ts'
import { stateHead } from './lineage-watch.ts'
import { closePacks } from './pack-fate.ts'
import { decodePackSet, encodePackSet } from './pack-set.ts'
import { reachablePacks } from './reachability.ts'
import { findSession, requireOpen } from './session-guard.ts'
import { describeSession } from './session-text.ts'
import { toSnapshot } from './snapshot-view.ts'
import { vaultOf } from './vaults.ts'

/** A snapshot that is about to exist. */
interface Draft {
  readonly request: CommitSnapshotRequest
  readonly manifest: Manifest
  readonly packs: readonly number[]
  /** The newest one before the packs were looked for. */
  readonly moveNumber: number
  /** Of the copies when the packs were found to have enough. */
  readonly copiesVersion: number
  /** Those of the packs that were condemned then. */
  readonly condemned: readonly number[]
}

export async function commitSnapshot(
  context: ManagerContext,
  request: CommitSnapshotRequest,
): Promise<CommittedSnapshot> {
  if (toHex(blake3(request.manifest)) !== request.snapshotId) {
    throw new TwofoldError('invalid-argument', 'the id of a snapshot must be the hash of its manifest')
  }
  const manifest = readManifest(request.manifest)
  const { session, vault, done } = await context.catalogue.read(async (tx) => {
    const found = await findSession(tx, request.session)
    const committed = await committedBefore(context, tx, found, request)
    return { session: found, vault: await vaultOf(tx, found.vault), done: committed }
  })
  if (done !== undefined) return committedSnapshot(context, done, vault)
  if (session.kind !== 'backup') throw new TwofoldError('invalid-argument', 'this session only moves chunks')
  requireMatch(manifest, session, vault)
  context.leases.renew(session.sessionId)
  const moveNumber = await context.catalogue.read((tx) => tx.packs.newestMove())
  const packs = await neededPacks(context, { session, vault, manifest, request })
  const copiesVersion = await context.catalogue.read((tx) => tx.copies.version())
  const condemned: number[] = []
  for (let start = 0; start < packs.length; start += catalogueSliceRows) {
    const slice = packs.slice(start, start + catalogueSliceRows)
    condemned.push(...(await context.catalogue.read((tx) => requireCopies(context, tx, slice, vault.minCopies))))
    context.leases.renew(session.sessionId)
    await context.clock.yield()
  }
  const draft = { request, manifest, packs, moveNumber, copiesVersion, condemned }
  const { row, abandoned } = await context.catalogue.write((tx) => commit(context, tx, draft))
  context.leases.end(session.sessionId)
  for (const pack of abandoned) context.members.settle(pack.packId)
  return committedSnapshot(context, row, vault)
}

/** The log's end at this moment covers the commit, and so does the end at any later one. */
async function committedSnapshot(
  context: ManagerContext,
  row: SnapshotRow,
  vault: VaultRow,
): Promise<CommittedSnapshot> {
  const snapshot = await toSnapshot(context, row)
  return {
    ...snapshot,
    statement: await stateHead(context),
    witnessesNeeded: context.lineage.witnessesFor(vault.minCopies),
  }
}

/** @throws TwofoldError `invalid-argument` for bytes that are no manifest */
export function readManifest(bytes: Uint8Array): Manifest {
  try {
    return decodeManifest(bytes)
  } catch (error) {
    if (!isTwofoldError(error)) throw error
    throw new TwofoldError('invalid-argument', `the manifest is not valid: ${error.message}`, { cause: error })
  }
}

export function requireMatch(manifest: Manifest, session: SessionRow, vault: VaultRow): void {
  const problem =
    manifest.sessionId !== session.sessionId
      ? 'another session'
      : manifest.vault !== vault.name
        ? 'another vault'
        : manifest.fileName !== session.fileName
          ? 'another file'
          : undefined
  if (problem !== undefined) throw new TwofoldError('invalid-argument', `the manifest names ${problem}`)
}

/** The snapshot, when the session has committed this one. @throws TwofoldError `session-ended` unless it is open. */
async function committedBefore(
  context: ManagerContext,
  tx: CatalogueReader,
  session: SessionRow,
  request: CommitSnapshotRequest,
): Promise<SnapshotRow | undefined> {
  if (session.state === 'committed' && session.snapshotId === request.snapshotId) {
    const row = await tx.snapshots.find(request.snapshotId)
    if (row !== undefined) return row
    throw new TwofoldError('failed-precondition', 'the snapshot was committed, and has been removed since')
  }
  requireOpen(context, session)
  return undefined
}

interface Need {
  readonly session: SessionRow
  readonly vault: VaultRow
  readonly manifest: Manifest
  readonly request: CommitSnapshotRequest
}

/** The packs that hold the snapshot's own record and everything below it. */
async function neededPacks(context: ManagerContext, need: Need): Promise<readonly number[]> {
  const { vault, manifest } = need
  const record = fromHex(need.request.snapshotId) as ChunkId
  const own = await context.catalogue.read(async (tx) => {
    const [row, root] = await tx.chunks.find(vault.id, [record, manifest.tree])
    if (row?.kind !== 'snapshot') throw missing('its manifest is not stored in a committed pack')
    if (root?.kind !== 'tree') throw missing('its root tree is not committed')
    return row.pack
  })
  const unchanged = await packsOfSameTree(context, need)
  if (unchanged !== undefined) return [...new Set([...unchanged, own])].sort((a, b) => a - b)
  const onSlice = (): void => context.leases.renew(need.session.sessionId)
  const packs = await reachablePacks(context, { vault: vault.id, root: record, onSlice })
  return [...packs].sort((a, b) => a - b)
}

/** Where nothing changed since the parent, its packs are the answer, provided that all still have enough copies. */
async function packsOfSameTree(context: ManagerContext, need: Need): Promise<readonly number[] | undefined> {
  if (need.session.parent === '') return undefined
  const parentId = need.session.parent as SnapshotRow['snapshotId']
  const parent = await context.catalogue.read((tx) => tx.snapshots.find(parentId))
  if (parent?.vault !== need.vault.id || Buffer.compare(parent.tree, need.manifest.tree) !== 0) return undefined
  const durability = await context.durability.ofSnapshot(parent.commitSequence, need.vault.copies)
  if (durability.copies < need.vault.minCopies) return undefined
  const set = await context.catalogue.read((tx) => tx.snapshots.packs(parent.commitSequence))
  return set === undefined ? undefined : decodePackSet(set)
}

/**
 * Looks at packs that a snapshot needs. @returns those that are condemned: the commit makes them committed again
 * @throws TwofoldError `missing-chunks` when one is deleted or has too few copies
 */
async function requireCopies(
  context: ManagerContext,
  tx: CatalogueReader,
  packs: readonly number[],
  minCopies: number,
): Promise<number[]> {
  const doomed = await tx.packs.notCommitted(packs)
  if (doomed.some((pack) => pack.state !== 'condemned')) throw missing('some of its data was deleted as unneeded')
  const counted = new Set(context.members.counted())
  const copies = await tx.copies.of(packs)
  const weak = copies.filter((held) => held.filter((copy) => counted.has(copy.node)).length < minCopies)
  if (weak.length === 0) return doomed.map((pack) => pack.id)
  throw missing(`${weak.length} of its packs have fewer than ${minCopies} copies on nodes that are not dead`)
}

async function commit(
  context: ManagerContext,
  tx: CatalogueWriter,
  draft: Draft,
): Promise<{ row: SnapshotRow; abandoned: readonly PackRow[] }> {
  context.lineage.requireWritable()
  const { request, manifest } = draft
  const session = await findSession(tx, request.session)
  const done = await committedBefore(context, tx, session, request)
  if (done !== undefined) return { row: done, abandoned: [] }
  const vault = await vaultOf(tx, session.vault)
  const packs = await withMoves(tx, draft)
  const unchanged = packs === draft.packs && (await tx.copies.version()) === draft.copiesVersion
  await tx.packs.revive(unchanged ? draft.condemned : await requireCopies(context, tx, packs, vault.minCopies))
  const { fileName } = session
  const newest = fileName === '' ? undefined : await tx.files.newest(vault.id, fileName)
  const fileVersion = fileName === '' ? 0 : (newest?.version ?? 0) + 1
  const committedAtMs = Math.round(context.clock.nowMs())
  const { snapshotId } = request
  const snapshot = {
    snapshotId,
    vault: vault.id,
    tree: manifest.tree,
    manifest: request.manifest,
    committedAtMs,
    fileName,
    fileVersion,
  }
  const keys = { host: manifest.host, pathsKey: byteSetKey(manifest.paths), packs: encodePackSet(packs) }
  const commitSequence = await tx.snapshots.add({ ...snapshot, ...keys })
  if (fileName !== '') {
    await tx.files.add(vault.id, { name: fileName, version: fileVersion, createdAtMs: committedAtMs, commitSequence })
  }
  const abandoned = await closePacks(context, tx, session)
  await tx.sessions.finish(session.id, 'committed', snapshotId)
  if (fileName === '')
    await tx.checkpoints.remove({ vault: vault.id, host: session.host, pathsKey: byteSetKey(session.paths) })
  await tx.operations.add({ ...describeSession(context, session), result: 'ok', detail: '', snapshotId })
  const numbers = { commitSequence, fileName, fileVersion, committedAtMs }
  await appendToLog(tx, 'commit', { vault: vault.name, snapshotId, ...numbers })
  return { row: { ...snapshot, commitSequence, expiresAtMs: 0, pin: undefined, tags: undefined }, abandoned }
}

/** The packs, and those that chunks of them were moved to since they were looked for. */
export async function withMoves(
  tx: CatalogueReader,
  draft: Pick<Draft, 'packs' | 'moveNumber'>,
): Promise<readonly number[]> {
  const packs = new Set(draft.packs)
  for (let after = draft.moveNumber; ;) {
    const moves = await tx.packs.moves(after, catalogueSliceRows)
    for (const move of moves) if (packs.has(move.from)) packs.add(move.to)
    after = moves.at(-1)?.number ?? after
    if (moves.length < catalogueSliceRows) break
  }
  return packs.size === draft.packs.length ? draft.packs : [...packs].sort((a, b) => a - b)
}

function missing(why: string): TwofoldError {
  return new TwofoldError('missing-chunks', `the snapshot cannot be committed: ${why}; back up again`)
}
