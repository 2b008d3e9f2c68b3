import { TwofoldError } from '../core/errors.ts'
import { actorNameCharactersMax } from '../core/limits.ts'
import type { DeleteFileRequest } from '../core/admin-messages.ts'
import type { ListFileVersionsRequest, Page } from '../core/messages.ts'
import type { FileRecord } from '../core/model.ts'
import type { FileRow } from './catalogue-rows.ts'
import { appendToLog } from './commit-log.ts'
import type { ManagerContext } from './context.ts'
import { once } from './once.ts'
import { makeToken, pageLimit, pageOf, readNumberToken, readToken } from './paging.ts'
import { requireFileName } from './request-checks.ts'
import { snapshotBytes, toSnapshot } from './snapshot-view.ts'
import { findVault } from './vaults.ts'

export async function listFileVersions(
  context: ManagerContext,
  request: ListFileVersionsRequest,
): Promise<Page<FileRecord>> {
  const { items, nextPageToken } = request.name === '' ? await page(context, request) : await history(context, request)
  const files: FileRecord[] = []
  for (const row of items) files.push(await toFile(context, row))
  return { items: files, nextPageToken }
}

async function page(context: ManagerContext, request: ListFileVersionsRequest): Promise<Page<FileRow>> {
  const limit = pageLimit(request.pageSize)
  const after = readToken('files', request.pageToken) ?? ''
  const rows = await context.catalogue.read(async (tx) => {
    const vault = await findVault(tx, request.vault)
    return tx.files.list(vault.id, request.prefix, { after, limit: limit + 1 })
  })
  return pageOf(rows, { limit, bytesOf, tokenAfter: (row) => makeToken('files', row.name) })
}

async function history(context: ManagerContext, request: ListFileVersionsRequest): Promise<Page<FileRow>> {
  const one = request.version > 0
  const limit = one ? 1 : pageLimit(request.pageSize)
  const before = one
    ? request.version + 1
    : (readNumberToken('file-versions', request.pageToken) ?? Number.MAX_SAFE_INTEGER)
  const rows = await context.catalogue.read(async (tx) => {
    const vault = await findVault(tx, request.vault)
    return tx.files.versions(vault.id, request.name, { before, limit: one ? 1 : limit + 1 })
  })
  if (one) return { items: rows.filter((row) => row.version === request.version), nextPageToken: '' }
  return pageOf(rows, { limit, bytesOf, tokenAfter: (row) => makeToken('file-versions', String(row.version)) })
}

function bytesOf(row: FileRow): number {
  return 3 * row.name.length + (row.snapshot === undefined ? 0 : snapshotBytes(row.snapshot))
}

async function toFile(context: ManagerContext, row: FileRow): Promise<FileRecord> {
  const snapshot = row.snapshot === undefined ? undefined : await toSnapshot(context, row.snapshot)
  return { name: row.name, version: row.version, deleted: row.deleted, createdAtMs: row.createdAtMs, snapshot }
}

export async function deleteFile(context: ManagerContext, request: DeleteFileRequest): Promise<FileRecord> {
  const { name } = request
  requireFileName(name)
  const timeMs = Math.round(context.clock.nowMs())
  const { version, createdAtMs } = await once(context, { kind: 'delete', request, changes: true }, async (tx) => {
    const vault = await findVault(tx, request.vault)
    const newest = await tx.files.newest(vault.id, name)
    if (newest === undefined) throw new TwofoldError('not-found', `there is no file "${name.slice(0, 200)}"`)
    if (newest.deleted) return { version: newest.version, createdAtMs: newest.createdAtMs }
    const version = newest.version + 1
    await tx.files.add(vault.id, { name, version, createdAtMs: timeMs, commitSequence: 0 })
    const actor = request.actor.slice(0, 2 * actorNameCharactersMax)
    const rest = { result: 'ok', detail: '', snapshotId: '', durationMs: 0 } as const
    await tx.operations.add({ kind: 'delete', timeMs, actor, subject: name, ...rest })
    await appendToLog(tx, 'delete-file', { vault: vault.name, name, version, createdAtMs: timeMs })
    return { version, createdAtMs: timeMs }
  })
  return { name, version, deleted: true, createdAtMs, snapshot: undefined }
}
