import { TwofoldError } from '../core/errors.ts'
import {
  catalogueSliceRows,
  checkpointKeepMs,
  checkpointRetryMs,
  checkpointsAtOnce,
  checkpointsMax,
  gcSnapshotsPerSlice,
} from '../core/limits.ts'
import type { BeginBackupRequest, Page, PageRequest, SaveCheckpointRequest } from '../core/messages.ts'
import type { Checkpoint } from '../core/model.ts'
import { byteSetKey } from './byte-list.ts'
import type { CheckpointRow, CheckpointSeries } from './catalogue-checkpoints.ts'
import type { CatalogueReader } from './catalogue.ts'
import type { SessionRow } from './catalogue-rows.ts'
import type { ManagerContext } from './context.ts'
import { decodePackSet, encodePackSet } from './pack-set.ts'
import { makeToken, pageLimit, pageOf, readNumberToken } from './paging.ts'
import { reachablePacks } from './reachability.ts'
import { requireSession } from './session-guard.ts'
import { readManifest, requireMatch, withMoves } from './snapshot-commit.ts'
import { findVault, vaultOf } from './vaults.ts'

/**
 * Remembers how far a running backup is. It is no snapshot: nothing is written into the log, and a lost catalogue loses
 * it. What it refers to must be committed, and is kept as long as it lives.
 */
export async function saveCheckpoint(context: ManagerContext, request: SaveCheckpointRequest): Promise<void> {
  const { checkpoints } = context
  if (checkpoints.inWork >= checkpointsAtOnce) {
    const message = 'too many checkpoints are being saved; the backup goes on, and saves one later'
    throw new TwofoldError('overloaded', message, { retryAfterMs: checkpointRetryMs })
  }
  checkpoints.inWork += 1
  try {
    await save(context, request)
  } finally {
    checkpoints.inWork -= 1
  }
}

async function save(context: ManagerContext, request: SaveCheckpointRequest): Promise<void> {
  const manifest = readManifest(request.manifest)
  const { session, vault } = await context.catalogue.read(async (tx) => {
    const found = await requireSession(context, tx, request.session)
    return { session: found, vault: await vaultOf(tx, found.vault) }
  })
  if (session.kind !== 'backup' || session.fileName !== '') {
    throw new TwofoldError('invalid-argument', 'only backups have checkpoints')
  }
  requireMatch(manifest, session, vault)
  context.leases.renew(session.sessionId)
  const moveNumber = await context.catalogue.read((tx) => tx.packs.newestMove())
  const onSlice = (): void => context.leases.renew(session.sessionId)
  const reached = await reachablePacks(context, { vault: vault.id, root: manifest.tree, onSlice })
  await context.catalogue.write(async (tx) => {
    context.lineage.requireWritable()
    // One that came late, after the session's snapshot, must not stay behind.
    await requireSession(context, tx, request.session)
    const packs = await withMoves(tx, { packs: [...reached], moveNumber })
    await tx.packs.revive(await condemnedAmong(tx, packs))
    await tx.checkpoints.put({
      ...seriesOf(session),
      tree: manifest.tree,
      manifest: request.manifest,
      createdAtMs: context.time.nowMs(),
      packs: encodePackSet(packs),
    })
    await tx.checkpoints.trim(checkpointsMax)
  })
}

/** @throws TwofoldError `missing-chunks` when a pack is gone */
async function condemnedAmong(tx: CatalogueReader, packs: readonly number[]): Promise<number[]> {
  const condemned: number[] = []
  for (let start = 0; start < packs.length; start += catalogueSliceRows) {
    for (const pack of await tx.packs.notCommitted(packs.slice(start, start + catalogueSliceRows))) {
      if (pack.state !== 'condemned')
        throw new TwofoldError('missing-chunks', 'some of its data was deleted as unneeded')
      condemned.push(pack.id)
    }
  }
  return condemned
}

/** To which series the backups of a session belong. */
export function seriesOf({ vault, host, paths }: Pick<SessionRow, 'vault' | 'host' | 'paths'>): CheckpointSeries {
  return { vault, host, pathsKey: byteSetKey(paths) }
}

/**
 * What a new backup may go on from. Who names a parent wants that one. Whether all that the checkpoint refers to still
 * has enough copies is not asked here: the client looks up everything before it takes it over.
 */
export async function findCheckpoint(
  context: ManagerContext,
  request: BeginBackupRequest,
): Promise<Checkpoint | undefined> {
  if (request.noParent || request.fileName !== '' || request.parent !== '') return undefined
  const row = await context.catalogue.read(async (tx) => {
    const vault = await findVault(tx, request.vault)
    return tx.checkpoints.find(seriesOf({ ...request, vault: vault.id }))
  })
  return row === undefined ? undefined : toCheckpoint(row)
}

export async function listCheckpoints(
  context: ManagerContext,
  vaultName: string,
  page: PageRequest,
): Promise<Page<Checkpoint>> {
  const limit = pageLimit(page.pageSize)
  const after = readNumberToken('checkpoints', page.pageToken) ?? 0
  const rows = await context.catalogue.read(async (tx) => {
    return tx.checkpoints.page((await findVault(tx, vaultName)).id, after, limit + 1)
  })
  const tokenAfter = (row: CheckpointRow): string => makeToken('checkpoints', String(row.number))
  const found = pageOf(rows, { limit, bytesOf: (row) => row.manifest.length + 100, tokenAfter })
  return { ...found, items: found.items.map(toCheckpoint) }
}

function toCheckpoint({ manifest, createdAtMs, packs }: CheckpointRow): Checkpoint {
  return { manifest, createdAtMs, packs: decodePackSet(packs).length }
}

/** Forgets some checkpoints that nobody went on from for too long. @returns whether there may be more */
export async function expireCheckpoints(context: ManagerContext): Promise<boolean> {
  const untilMs = context.time.nowMs() - checkpointKeepMs
  const removed = await context.catalogue.write((tx) => tx.checkpoints.removeUntil(untilMs, gcSnapshotsPerSlice))
  return removed === gcSnapshotsPerSlice
}
