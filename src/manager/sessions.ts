import { TwofoldError } from '../core/errors.ts'
import { randomHexId } from '../core/ids.ts'
import type { SessionId } from '../core/ids.ts'
import {
  actorNameCharactersMax,
  requestIdCharactersMax,
  sessionSweepBatchMax,
  sessionsOpenMax,
} from '../core/limits.ts'
import type { BeginRepackRequest } from '../core/admin-messages.ts'
import type { BeginBackupRequest, Session, SessionRef } from '../core/messages.ts'
import { unchangedReason } from '../core/model.ts'
import { byteSetKey } from './byte-list.ts'
import type { CatalogueReader, CatalogueWriter } from './catalogue.ts'
import type { SessionKind, SessionRow, SnapshotRow, VaultRow } from './catalogue-rows.ts'
import { findCheckpoint } from './checkpoints.ts'
import type { ManagerContext } from './context.ts'
import { closePacks } from './pack-fate.ts'
import { requireFileName, requireText } from './request-checks.ts'
import { recordRoutine } from './routine-operations.ts'
import { findSession, requireSession } from './session-guard.ts'
import { describeSession } from './session-text.ts'
import { findByReference, toSnapshot } from './snapshot-view.ts'
import { findVault } from './vaults.ts'

export async function beginBackup(context: ManagerContext, request: BeginBackupRequest): Promise<Session> {
  requireValid(request)
  const known = await context.catalogue.read((tx) => tx.sessions.byRequest(request.clientId, request.requestId))
  if (known === undefined) requireRoom(context)
  const parent = known === undefined ? await usableParent(context, request) : undefined
  const { session, vault } = await context.catalogue.write((tx) => openSession(context, tx, request, parent))
  context.leases.renew(session.sessionId)
  const row = session.parent === '' ? undefined : await findParent(context, session.parent)
  return {
    sessionId: session.sessionId,
    sessionToken: session.token,
    leaseMs: context.timing.sessionLeaseMs,
    parent: row === undefined ? undefined : await toSnapshot(context, row),
    vaultId: vault.vaultId,
    vaultEmpty: vault.chunks === 0,
    vault: vault.name,
    checkpoint: await findCheckpoint(context, request),
  }
}

/** @throws TwofoldError `overloaded`, `failed-precondition` while the cluster is being shut down */
function requireRoom(context: ManagerContext): void {
  context.shutdown.requireOpen()
  if (context.leases.size < sessionsOpenMax) return
  throw new TwofoldError('overloaded', 'too many backups are running; try again later', { retryAfterMs: 10_000 })
}

/** A session that moves chunks to other packs. */
export async function beginRepack(context: ManagerContext, request: BeginRepackRequest): Promise<Session> {
  const rest = { paths: [], fileName: '', parent: '', noParent: true }
  const asBackup = { ...request, ...rest, kind: 'repack' } as const
  requireValid(asBackup)
  requireRoom(context)
  const { session, vault } = await context.catalogue.write((tx) => openSession(context, tx, asBackup))
  context.leases.renew(session.sessionId)
  const { sessionId, token } = session
  const about = { vaultId: vault.vaultId, vaultEmpty: vault.chunks === 0, vault: vault.name, parent: undefined }
  return { sessionId, sessionToken: token, leaseMs: context.timing.sessionLeaseMs, ...about }
}

function requireValid(request: BeginBackupRequest): void {
  requireText('the client id', request.clientId, requestIdCharactersMax)
  requireText('the request id', request.requestId, requestIdCharactersMax)
  if (request.host.length > actorNameCharactersMax || request.user.length > actorNameCharactersMax) {
    throw new TwofoldError('invalid-argument', 'the name of the host or of the user is too long')
  }
  if (request.fileName !== '') requireFileName(request.fileName)
}

/**
 * The snapshot to compare with. One that lost copies is passed over: what is taken over from it could not be committed,
 * whereas a backup that looks every chunk up uploads the missing ones again.
 */
async function usableParent(context: ManagerContext, request: BeginBackupRequest): Promise<SnapshotRow | undefined> {
  if (request.noParent || request.fileName !== '') return undefined
  const { vault, row } = await context.catalogue.read(async (tx) => {
    const found = await findVault(tx, request.vault)
    if (request.parent !== '') return { vault: found, row: await findByReference(tx, found, request.parent) }
    return { vault: found, row: await tx.snapshots.newest(found.id, request.host, byteSetKey(request.paths)) }
  })
  if (row === undefined) return undefined
  const durability = await context.durability.ofSnapshot(row.commitSequence, vault.copies)
  if (durability.copies >= vault.minCopies) return row
  context.logger.warn('the parent snapshot has lost copies; every file is read again', { snapshot: row.snapshotId })
  return undefined
}

async function openSession(
  context: ManagerContext,
  tx: CatalogueWriter,
  request: BeginBackupRequest & { readonly kind?: SessionKind },
  parent?: SnapshotRow,
): Promise<{ session: SessionRow; vault: VaultRow }> {
  const vault = await findVault(tx, request.vault)
  const known = await tx.sessions.byRequest(request.clientId, request.requestId)
  if (known !== undefined) {
    requireSameRequest(known, vault, request)
    return { session: known, vault }
  }
  const sessionId = randomHexId<SessionId>(context.random)
  await tx.sessions.add({
    sessionId,
    kind: request.kind ?? 'backup',
    token: randomHexId(context.random),
    vault: vault.id,
    clientId: request.clientId,
    requestId: request.requestId,
    host: request.host,
    user: request.user,
    paths: request.paths,
    fileName: request.fileName,
    noParent: request.noParent,
    parent: parent?.snapshotId ?? '',
    begunAtMs: context.clock.nowMs(),
  })
  // Whatever becomes of the transaction and its answer: no session may be open without a lease that can run out.
  context.leases.begin(sessionId)
  const session = await tx.sessions.find(sessionId)
  if (session === undefined) throw new TwofoldError('internal', 'a session that was just written is not there')
  return { session, vault }
}

function requireSameRequest(
  known: SessionRow,
  vault: VaultRow,
  request: BeginBackupRequest & { readonly kind?: SessionKind },
): void {
  const same =
    known.vault === vault.id &&
    known.kind === (request.kind ?? 'backup') &&
    known.host === request.host &&
    known.fileName === request.fileName &&
    Buffer.compare(byteSetKey(known.paths), byteSetKey(request.paths)) === 0
  if (!same) throw new TwofoldError('invalid-argument', 'this request id was used for another backup; take a new one')
}

function findParent(context: ManagerContext, snapshotId: string): Promise<SnapshotRow | undefined> {
  return context.catalogue.read((tx) => tx.snapshots.find(snapshotId as SnapshotRow['snapshotId']))
}

export async function renewSession(context: ManagerContext, ref: SessionRef): Promise<number> {
  await context.catalogue.read((tx) => requireSession(context, tx, ref))
  context.leases.renew(ref.sessionId)
  return context.timing.sessionLeaseMs
}

export async function endSession(context: ManagerContext, ref: SessionRef, reason: string): Promise<void> {
  await finish(context, (tx) => findSession(tx, ref), { state: 'ended', reason })
}

/** Ends some of the sessions whose lease ran out. @returns whether there may be more. */
export async function sweepSessions(context: ManagerContext): Promise<boolean> {
  // In an older catalogue a session may look open that has long committed: its packs must not be given up.
  if (context.lineage.state !== 'verified') return false
  // Nor may a backup end that could not renew its lease while this manager was away.
  if (context.members.safeMode()) return false
  const expired = context.leases.expired(sessionSweepBatchMax)
  for (const sessionId of expired) {
    await finish(context, (tx) => tx.sessions.find(sessionId), { state: 'expired', reason: 'its lease ran out' })
    // Also of one that never came to be.
    context.leases.end(sessionId)
  }
  return expired.length === sessionSweepBatchMax
}

interface Ending {
  readonly state: 'ended' | 'expired'
  readonly reason: string
}

/** Moving chunks has no other end than this one, and a backup that finds nothing new commits nothing. */
function resultOf(session: SessionRow, ending: Ending): 'ok' | 'abandoned' | 'failed' {
  if (ending.state === 'expired') return 'failed'
  if (ending.reason === unchangedReason) return 'ok'
  return session.kind === 'repack' && ending.reason === '' ? 'ok' : 'abandoned'
}

async function finish(
  context: ManagerContext,
  find: (tx: CatalogueReader) => Promise<SessionRow | undefined>,
  ending: Ending,
): Promise<void> {
  const { session, packs } = await context.catalogue.write(async (tx) => {
    const found = await find(tx)
    if (found?.state !== 'open') return { session: found, packs: [] }
    const settled = await closePacks(context, tx, found)
    await tx.sessions.finish(found.id, ending.state, '')
    await recordRoutine(tx, {
      ...describeSession(context, found),
      result: resultOf(found, ending),
      detail: ending.reason.slice(0, 1000),
      snapshotId: '',
    })
    return { session: found, packs: settled }
  })
  if (session !== undefined) context.leases.end(session.sessionId)
  for (const pack of packs) context.members.settle(pack.packId)
}
