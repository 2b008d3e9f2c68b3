import { TwofoldError } from '../../core/errors.ts'
import { actorNameCharactersMax, adminSnapshotsMax } from '../../core/limits.ts'
import type { ForgetRequest, PinRequest, Recorded, SnapshotsRequest } from '../../core/admin-messages.ts'
import type { CatalogueReader, CatalogueWriter } from '../catalogue.ts'
import type { SnapshotRow, VaultRow } from '../catalogue-rows.ts'
import { appendToLog } from '../commit-log.ts'
import type { ManagerContext } from '../context.ts'
import { once } from '../once.ts'
import { findVault } from '../vaults.ts'

/** Moves snapshots to the trash. @returns until when they can be brought back */
export async function forgetSnapshots(context: ManagerContext, request: ForgetRequest): Promise<number> {
  const nowMs = context.time.nowMs()
  const expiresAtMs = request.now ? nowMs : nowMs + context.timing.trashWindowMs
  return once(context, { kind: 'forget', request, changes: true }, async (tx) => {
    const { vault, rows } = await findAll(tx, request)
    requireBackups(rows)
    const pinned = rows.filter((row) => row.pin !== undefined)
    if (pinned.length > 0) {
      throw refused(`pinned snapshots are never forgotten: ${named(pinned)}; "twofold unpin" them first`)
    }
    const changed = rows.filter((row) => row.expiresAtMs === 0 || row.expiresAtMs > expiresAtMs)
    for (const row of changed) await tx.snapshots.setExpiry(row.commitSequence, expiresAtMs)
    const snapshotIds = changed.map((row) => row.snapshotId)
    await recordDecision(context, tx, { kind: 'forget', request, rows: changed })
    if (changed.length > 0) await appendToLog(tx, 'forget', { vault: vault.name, snapshotIds, expiresAtMs })
    return expiresAtMs
  })
}

/** Brings snapshots back from the trash. An older catalogue must not forget that: they would go with the next prune. */
export async function undeleteSnapshots(context: ManagerContext, request: SnapshotsRequest): Promise<Recorded> {
  const made = await once(context, { kind: 'undelete', request, changes: true }, async (tx) => {
    const { vault, rows } = await findAll(tx, request)
    const changed = rows.filter((row) => row.expiresAtMs > 0)
    for (const row of changed) await tx.snapshots.setExpiry(row.commitSequence, 0)
    await recordDecision(context, tx, { kind: 'undelete', request, rows: changed })
    const snapshotIds = changed.map((row) => row.snapshotId)
    if (changed.length > 0) await appendToLog(tx, 'undelete', { vault: vault.name, snapshotIds })
    return entryOf(tx, vault)
  })
  return recorded(context, made)
}

/** The entry of the log that a decision rests on, and how many nodes must have it. */
interface Entry {
  readonly sequence: number
  readonly wanted: number
}

async function entryOf(tx: CatalogueReader, { minCopies }: VaultRow): Promise<Entry> {
  return { sequence: (await tx.log.newest())?.sequence ?? 0, wanted: minCopies }
}

/** What an earlier version of the program remembered of a decision has no entry. */
function recorded({ lineage }: ManagerContext, made: Entry | undefined): Recorded {
  const { sequence, wanted } = made ?? { sequence: 0, wanted: 0 }
  return { recordedBy: lineage.recordedBy(sequence), wanted }
}

/** Protects snapshots from being forgotten, or ends that. */
export async function pinSnapshots(context: ManagerContext, request: PinRequest): Promise<Recorded> {
  if (request.reason.length > pinReasonCharactersMax) {
    throw new TwofoldError('invalid-argument', `a reason may have ${pinReasonCharactersMax} characters`)
  }
  const made = await once(context, { kind: 'pin', request, changes: true }, async (tx) => {
    const { vault, rows } = await findAll(tx, request)
    const gone = rows.filter((row) => row.expiresAtMs > 0)
    if (request.pinned && gone.length > 0) {
      throw refused(`${names(gone)} is in the trash; "twofold undelete" it first`)
    }
    const pin = request.pinned ? request.reason : undefined
    const changed = rows.filter((row) => row.pin !== pin)
    for (const row of changed) await tx.snapshots.setPin(row.commitSequence, pin)
    const kind = request.pinned ? 'pin' : 'unpin'
    await recordDecision(context, tx, { kind, request, rows: changed })
    const fields = { vault: vault.name, snapshotIds: changed.map((row) => row.snapshotId), reason: pin ?? '' }
    if (changed.length > 0) await appendToLog(tx, kind, fields)
    return entryOf(tx, vault)
  })
  return recorded(context, made)
}

const pinReasonCharactersMax = 1000

/** The vault and the snapshots that a request names. @throws as the calls of `Admin` about snapshots */
export async function findAll(
  tx: CatalogueReader,
  request: SnapshotsRequest,
): Promise<{ vault: VaultRow; rows: SnapshotRow[] }> {
  const { snapshotIds } = request
  if (snapshotIds.length > adminSnapshotsMax) {
    throw new TwofoldError(
      'invalid-argument',
      `at most ${adminSnapshotsMax} snapshots a call, not ${snapshotIds.length}`,
    )
  }
  const vault = await findVault(tx, request.vault)
  const rows: SnapshotRow[] = []
  for (const id of new Set(snapshotIds)) {
    const row = await tx.snapshots.find(id)
    const removedAtMs = row === undefined ? await tx.snapshots.removedAtMs(id) : undefined
    if (removedAtMs !== undefined) {
      const when = new Date(removedAtMs).toISOString()
      throw refused(`snapshot ${id.slice(0, 8)} was removed for good at ${when}; it cannot be brought back`)
    }
    if (row?.vault !== vault.id) throw new TwofoldError('not-found', `there is no snapshot ${id.slice(0, 8)}`)
    rows.push(row)
  }
  return { vault, rows }
}

interface Done {
  readonly kind: string
  readonly request: SnapshotsRequest
  readonly rows: readonly SnapshotRow[]
}

/** One line of the history for each snapshot that changed. */
export async function recordDecision(context: ManagerContext, tx: CatalogueWriter, done: Done): Promise<void> {
  const timeMs = Math.round(context.clock.nowMs())
  const actor = done.request.actor.slice(0, 2 * actorNameCharactersMax)
  for (const { snapshotId } of done.rows) {
    const rest = { result: 'ok', detail: '', durationMs: 0, snapshotId } as const
    await tx.operations.add({ kind: done.kind, timeMs, actor, subject: snapshotId.slice(0, 8), ...rest })
  }
}

/** @throws TwofoldError `failed-precondition` for versions of single files */
export function requireBackups(rows: readonly SnapshotRow[]): void {
  const files = rows.filter((row) => row.fileName !== '')
  if (files.length > 0) throw refused(`${names(files)}: a version of a single file is no backup`)
}

const names = (rows: readonly SnapshotRow[]): string => rows.map((row) => row.snapshotId.slice(0, 8)).join(', ')

function named(rows: readonly SnapshotRow[]): string {
  const reason = (row: SnapshotRow): string => (row.pin === undefined || row.pin === '' ? '' : ` (${row.pin})`)
  return rows.map((row) => `${row.snapshotId.slice(0, 8)}${reason(row)}`).join(', ')
}

function refused(message: string): TwofoldError {
  return new TwofoldError('failed-precondition', message)
}
