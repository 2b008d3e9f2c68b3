import { TwofoldError } from '../core/errors.ts'
import { asBuffer } from '../core/ids.ts'
import type { SnapshotId } from '../core/ids.ts'
import { pageSizeMax } from '../core/limits.ts'
import type { Page, PageRequest, SnapshotFilter } from '../core/messages.ts'
import type { PackCopy, Snapshot, SnapshotPack } from '../core/model.ts'
import { decodeManifest } from '../format/manifest.ts'
import type { CatalogueReader } from './catalogue.ts'
import type { CopyRow, SnapshotRow, VaultRow } from './catalogue-rows.ts'
import type { ManagerContext } from './context.ts'
import { decodePackSet } from './pack-set.ts'
import { makeToken, pageLimit, pageOf, readNumberToken } from './paging.ts'
import { findVault, vaultOf } from './vaults.ts'

/** A snapshot with how safe it is now. */
export async function toSnapshot(context: ManagerContext, row: SnapshotRow): Promise<Snapshot> {
  const vault = await context.catalogue.read((tx) => vaultOf(tx, row.vault))
  return {
    snapshotId: row.snapshotId,
    manifest: row.manifest,
    commitSequence: row.commitSequence,
    committedAtMs: row.committedAtMs,
    durability: await context.durability.ofSnapshot(row.commitSequence, vault.copies),
    fileVersion: row.fileVersion,
    expiresAtMs: row.expiresAtMs,
    pin: row.pin,
    tags: row.tags,
  }
}

/** About how many bytes a snapshot takes in a message: its manifest, and the nodes that hold it. */
export function snapshotBytes(row: SnapshotRow): number {
  return row.manifest.length + 2000
}

export async function listSnapshots(
  context: ManagerContext,
  filter: SnapshotFilter,
  page: PageRequest,
): Promise<Page<Snapshot>> {
  const limit = pageLimit(page.pageSize)
  const from = readNumberToken('snapshots', page.pageToken) ?? 0
  const rows = await matching(context, filter, { from, order: 'oldest-first', limit: limit + 1 })
  const tokenAfter = (row: SnapshotRow): string => makeToken('snapshots', String(row.commitSequence))
  const { items, nextPageToken } = pageOf(rows, { limit, bytesOf: snapshotBytes, tokenAfter })
  const snapshots: Snapshot[] = []
  for (const row of items) snapshots.push(await toSnapshot(context, row))
  return { items: snapshots, nextPageToken }
}

interface Range {
  readonly from: number
  readonly order: 'oldest-first' | 'newest-first'
  readonly limit: number
}

/** The first `limit` backups that pass the filter. */
async function matching(context: ManagerContext, filter: SnapshotFilter, range: Range): Promise<SnapshotRow[]> {
  const found: SnapshotRow[] = []
  let { from } = range
  for (;;) {
    const rows = await context.catalogue.read(async (tx) => {
      const vault = await findVault(tx, filter.vault)
      const which = { vault: vault.id, host: filter.host, trash: filter.trash === true }
      return tx.snapshots.page({ ...which, from, order: range.order, limit: pageSizeMax })
    })
    for (const row of rows) {
      if (passes(row, filter)) found.push(row)
      if (found.length === range.limit) return found
      from = row.commitSequence
    }
    if (rows.length < pageSizeMax) return found
    await context.clock.yield()
  }
}

function passes(row: SnapshotRow, filter: SnapshotFilter): boolean {
  if (filter.paths.length === 0 && filter.tags.length === 0) return true
  const manifest = decodeManifest(row.manifest)
  const tags = row.tags ?? manifest.tags
  return (
    filter.tags.every((tag) => tags.includes(tag)) &&
    filter.paths.every((path) => manifest.paths.some((other) => asBuffer(other).equals(path)))
  )
}

export async function getSnapshot(
  context: ManagerContext,
  reference: string,
  filter: SnapshotFilter,
): Promise<Snapshot> {
  if (reference !== 'latest') {
    const row = await context.catalogue.read(async (tx) => {
      return findByReference(tx, await findVault(tx, filter.vault), reference, filter.trash)
    })
    return toSnapshot(context, row)
  }
  const range = { from: Number.MAX_SAFE_INTEGER, order: 'newest-first', limit: 1 } as const
  const [newest] = await matching(context, filter, range)
  if (newest === undefined)
    throw new TwofoldError('not-found', 'there is no snapshot that matches; make a backup first')
  return toSnapshot(context, newest)
}

/**
 * The one snapshot of the vault, in the trash or outside it, whose id begins like this.
 * @throws TwofoldError `not-found`, `ambiguous`
 */
export async function findByReference(
  tx: CatalogueReader,
  vault: VaultRow,
  reference: string,
  trash = false,
): Promise<SnapshotRow> {
  const prefix = reference.toLowerCase()
  if (/^[0-9a-f]{0,3}$/.test(prefix)) {
    throw new TwofoldError('invalid-argument', `give at least 4 digits of the snapshot's id, not "${reference}"`)
  }
  const all = /^[0-9a-f]{4,64}$/.test(prefix) ? await tx.snapshots.byPrefix(vault.id, prefix, prefixMatchesMax) : []
  const found = all.filter((row) => row.expiresAtMs > 0 === trash)
  const [row] = found
  if (row === undefined) throw noSuchSnapshot(reference.slice(0, 80), { trash, elsewhere: all.length > 0 })
  if (found.length > 1) {
    throw new TwofoldError('ambiguous', `more than one snapshot begins with "${reference}"; give more of the id`)
  }
  return row
}

/** How many snapshots with one beginning are looked at: in the trash and outside it. */
const prefixMatchesMax = 100

function noSuchSnapshot(shown: string, where: { trash: boolean; elsewhere: boolean }): TwofoldError {
  const { trash, elsewhere } = where
  const why = trash
    ? `there is no snapshot "${shown}" in the trash; "twofold snapshots --trash" lists what is there`
    : elsewhere
      ? `snapshot "${shown}" was forgotten; "twofold undelete ${shown}" brings it back`
      : `there is no snapshot "${shown}"; "twofold snapshots" lists those there are`
  return new TwofoldError('not-found', why)
}

export async function listSnapshotPacks(
  context: ManagerContext,
  id: SnapshotId,
  page: PageRequest,
): Promise<Page<SnapshotPack>> {
  const limit = pageLimit(page.pageSize)
  const from = readNumberToken('snapshot-packs', page.pageToken) ?? 0
  return context.catalogue.read(async (tx) => {
    const row = await tx.snapshots.find(id)
    if (row === undefined) throw new TwofoldError('not-found', `there is no snapshot ${id}`)
    const all = decodePackSet((await tx.snapshots.packs(row.commitSequence)) ?? new Uint8Array())
    const ids = all.filter((pack) => pack > from).slice(0, limit + 1)
    const tokenAfter = (pack: number): string => makeToken('snapshot-packs', String(pack))
    const { items, nextPageToken } = pageOf(ids, { limit, tokenAfter })
    return { items: await describePacks(context, tx, items), nextPageToken }
  })
}

async function describePacks(
  context: ManagerContext,
  tx: CatalogueReader,
  ids: readonly number[],
): Promise<SnapshotPack[]> {
  const packs = await tx.packs.byIds(ids)
  const copies = await tx.copies.of(ids)
  return packs.flatMap((pack, index) => {
    if (pack === undefined) return []
    const held = (copies[index] ?? []).flatMap((copy) => describeCopy(context, copy))
    return [{ packId: pack.packId, lengthBytes: pack.lengthBytes, copies: held }]
  })
}

/** A copy as people see it; none of a node that nobody knows any more. */
export function describeCopy({ members }: ManagerContext, copy: CopyRow): PackCopy[] {
  const node = members.byRow(copy.node)?.ref
  if (node === undefined) return []
  return [{ node, state: members.state(node.nodeId), provenAtMs: copy.provenAtMs }]
}
