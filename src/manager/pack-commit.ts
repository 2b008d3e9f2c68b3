import { TwofoldError, invariant } from '../core/errors.ts'
import { chunkIdBytes, chunkIdFromKey, chunkKey } from '../core/ids.ts'
import type { ChunkKey } from '../core/ids.ts'
import { catalogueSliceRows, chunkBytesMax, packRecordsMax } from '../core/limits.ts'
import type { CommitPackRequest } from '../core/messages.ts'
import type { PackEntry, TicketClaims } from '../core/model.ts'
import { openTicket } from '../format/tickets.ts'
import type { CatalogueReader, CatalogueWriter } from './catalogue.ts'
import type { PackRow, SessionKind } from './catalogue-rows.ts'
import { splitRefs } from './chunk-refs.ts'
import type { ManagerContext } from './context.ts'
import { orderDrops, pipelineNodes } from './pack-fate.ts'
import { checkReceipts } from './receipts.ts'
import type { DurableCopy } from './receipts.ts'
import { requireOpen } from './session-guard.ts'
import { vaultOf } from './vaults.ts'

/**
 * Makes a pack part of the catalogue. The ticket's expiry does not matter here: it bounds when nodes accept bytes,
 * whereas whether the pack may still be committed is settled by the pack's own state.
 */
export async function commitPack(context: ManagerContext, request: CommitPackRequest): Promise<void> {
  const claims = openTicket(request.ticket, context.identity.signer.publicKey)
  requireValid(request.entries)
  const pack = await context.catalogue.read((tx) => requireSettleable(context, tx, claims))
  if (pack.state !== 'open') return
  context.leases.renew(claims.sessionId)
  await requireClosed(context, pack.vault, request.entries)
  const short = await context.catalogue.write((tx) => commit(context, tx, claims, request))
  // Repair goes through the catalogue only when copies go.
  if (short) context.repair.queue.add('short', { pack: pack.id, lengthBytes: pack.lengthBytes })
  context.leases.renew(claims.sessionId)
  context.members.settle(claims.packId)
}

function requireValid(entries: readonly PackEntry[]): void {
  if (entries.length < 1 || entries.length > packRecordsMax) {
    throw invalid(`a pack must have 1 to ${packRecordsMax} records, not ${entries.length}`)
  }
  for (const { kind, refs, plainLength } of entries) {
    if (refs.length % chunkIdBytes !== 0) throw invalid('a list of references must be whole chunk ids')
    if (kind === 'data' && refs.length !== 0) throw invalid('a data record refers to nothing')
    if (kind === 'snapshot' && refs.length !== chunkIdBytes) throw invalid('a snapshot refers to exactly one tree')
    if (plainLength > chunkBytesMax) throw invalid(`a record holds at most ${chunkBytesMax} bytes, not ${plainLength}`)
  }
}

/** The pack, committed (and condemned since, perhaps) or open in an open session. */
async function requireSettleable(context: ManagerContext, tx: CatalogueReader, claims: TicketClaims): Promise<PackRow> {
  const pack = await tx.packs.find(claims.packId)
  if (pack === undefined || pack.state === 'abandoned' || pack.state === 'deleted') {
    throw new TwofoldError('failed-precondition', `pack ${claims.packId} was abandoned; send its content in another`)
  }
  if (pack.state !== 'open') return pack
  const session = await tx.sessions.byId(pack.session)
  invariant(session !== undefined, 'a pack has a session')
  requireOpen(context, session)
  return pack
}

/**
 * Whether every chunk that a tree or snapshot refers to is committed, or comes with it. Checked ahead of the
 * transaction, in slices, because it can take long; what is committed stays so while the session is open.
 */
async function requireClosed(context: ManagerContext, vault: number, entries: readonly PackEntry[]): Promise<void> {
  const own = new Set(entries.map((entry) => chunkKey(entry.chunkId)))
  const wanted = new Set<ChunkKey>()
  for (const { refs } of entries) {
    for (const id of splitRefs(refs)) {
      const key = chunkKey(id)
      if (!own.has(key)) wanted.add(key)
    }
  }
  const ids = [...wanted].map(chunkIdFromKey)
  for (let start = 0; start < ids.length; start += catalogueSliceRows) {
    const slice = ids.slice(start, start + catalogueSliceRows)
    const rows = await context.catalogue.read((tx) => tx.chunks.find(vault, slice))
    if (rows.includes(undefined)) {
      throw new TwofoldError('failed-precondition', 'a tree refers to a chunk that is not committed')
    }
    await context.clock.yield()
  }
}

/** @returns whether it has fewer copies than the vault wants on nodes that shall keep them. */
async function commit(
  context: ManagerContext,
  tx: CatalogueWriter,
  claims: TicketClaims,
  request: CommitPackRequest,
): Promise<boolean> {
  const pack = await requireSettleable(context, tx, claims)
  if (pack.state !== 'open') return false
  const vault = await vaultOf(tx, pack.vault)
  const allowed = new Set((await pipelineNodes(tx, pack)).map((node) => node.nodeId))
  const copies = await checkReceipts(tx, claims, { receipts: request.receipts, allowed })
  const [first] = copies
  if (first === undefined || copies.length < vault.minCopies) {
    throw new TwofoldError(
      'failed-precondition',
      `pack ${claims.packId} is durable on ${copies.length} nodes, and ${vault.minCopies} are needed`,
    )
  }
  requireWithin(request.entries, first.lengthBytes)
  const { lengthBytes, digest } = first
  await tx.packs.settle(pack.id, { state: 'committed', lengthBytes, digest })
  for (const copy of copies) {
    await tx.copies.add(pack.id, { node: copy.node, putSequence: copy.putSequence, provenAtMs: copy.durableAtMs })
    await tx.nodes.raisePutSequence(copy.node, copy.putSequence)
  }
  const kind = (await tx.sessions.byId(pack.session))?.kind ?? 'backup'
  const put = { pack, kind, minCopies: vault.minCopies, entries: request.entries }
  const added = await putChunks(context, tx, put)
  await tx.vaults.count(vault.id, { chunks: added, packs: 1, storedBytes: first.lengthBytes })
  await orderDrops(context, tx, pack, new Set(copies.map((copy: DurableCopy) => copy.nodeId)))
  const standings = context.members.standings()
  const kept = copies.filter(({ node }) => standings.get(node)?.keeps === true)
  return kept.length < vault.copies
}

function requireWithin(entries: readonly PackEntry[], lengthBytes: number): void {
  for (const { offset, length } of entries) {
    if (offset < 0 || length < 1 || offset + length > lengthBytes) throw invalid('a record lies outside its pack')
  }
}

interface PutChunks {
  readonly pack: PackRow
  readonly kind: SessionKind
  readonly minCopies: number
  readonly entries: readonly PackEntry[]
}

/**
 * Enters the pack's chunks. One that the vault has already stays where it is, unless its pack has too few copies left
 * or is condemned, or the session is there to move it: then it moves here, and the move is remembered, so that this
 * pack is needed by whatever needs the other one. @returns how many are new.
 */
async function putChunks(context: ManagerContext, tx: CatalogueWriter, put: PutChunks): Promise<number> {
  const { pack, entries } = put
  const known = await tx.chunks.find(
    pack.vault,
    entries.map((entry) => entry.chunkId),
  )
  const knownPacks = [...new Set(known.flatMap((row) => (row === undefined ? [] : [row.pack])))]
  const counted = new Set(context.members.counted())
  const copies = await tx.copies.of(knownPacks)
  const weak = new Set(
    knownPacks.filter((_, index) => {
      const held = copies[index]?.filter((copy) => counted.has(copy.node)) ?? []
      return put.kind === 'repack' || held.length < put.minCopies
    }),
  )
  for (const row of await tx.packs.notCommitted(knownPacks)) weak.add(row.id)
  const fresh = new Set<ChunkKey>()
  const chosen = entries.filter((entry, index) => {
    const row = known[index]
    if (row === undefined) fresh.add(chunkKey(entry.chunkId))
    else if (row.kind !== entry.kind) throw clash(entry, row.kind)
    return row === undefined || weak.has(row.pack)
  })
  await tx.chunks.put(pack.vault, pack.id, chosen)
  const left = new Set(known.flatMap((row) => (row !== undefined && weak.has(row.pack) ? [row.pack] : [])))
  for (const from of left) await tx.packs.addMove(from, pack.id)
  return fresh.size
}

function clash(entry: PackEntry, kind: string): TwofoldError {
  const id = Buffer.from(entry.chunkId).toString('hex')
  return new TwofoldError('integrity', `chunk ${id} is a ${kind} record in the vault, and a ${entry.kind} record here`)
}

function invalid(message: string): TwofoldError {
  return new TwofoldError('invalid-argument', message)
}
