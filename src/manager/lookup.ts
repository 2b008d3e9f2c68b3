import type { ChunkId } from '../core/ids.ts'
import { pageBytesMax } from '../core/limits.ts'
import type { ChunkLocation, PackLocation, SessionRef } from '../core/messages.ts'
import type { NodeRef, NodeState } from '../core/model.ts'
import type { CatalogueReader } from './catalogue.ts'
import type { ChunkRow, CopyRow } from './catalogue-rows.ts'
import type { ManagerContext } from './context.ts'
import { requireLookupSize } from './request-checks.ts'
import { requireSession } from './session-guard.ts'
import { findVault, vaultOf } from './vaults.ts'

export async function lookupChunks(
  context: ManagerContext,
  ref: SessionRef,
  ids: readonly ChunkId[],
): Promise<readonly boolean[]> {
  requireLookupSize(ids)
  const present = await context.catalogue.read(async (tx) => {
    const session = await requireSession(context, tx, ref)
    const { minCopies } = await vaultOf(tx, session.vault)
    const rows = await tx.chunks.find(session.vault, ids)
    const sound = await context.soundPacks.among(tx, packsOf(rows), minCopies)
    return rows.map((row) => row !== undefined && sound.has(row.pack))
  })
  context.leases.renew(ref.sessionId)
  return present
}

function packsOf(rows: readonly (ChunkRow | undefined)[]): number[] {
  return [...new Set(rows.flatMap((row) => (row === undefined ? [] : [row.pack])))]
}

export async function locateChunks(
  context: ManagerContext,
  vaultName: string,
  ids: readonly ChunkId[],
): Promise<readonly (ChunkLocation | undefined)[]> {
  requireLookupSize(ids)
  return context.catalogue.read(async (tx) => {
    const vault = await findVault(tx, vaultName)
    const rows = await tx.chunks.find(vault.id, ids)
    const packs = await locatePacks(context, tx, packsOf(rows))
    return rows.map((row) => {
      const pack = row === undefined ? undefined : packs.get(row.pack)
      if (row === undefined || pack === undefined) return undefined
      return { pack, offset: row.offset, length: row.length, plainLength: row.plainLength }
    })
  })
}

/** Where packs are, by their rows. */
export async function locatePacks(
  context: ManagerContext,
  tx: CatalogueReader,
  ids: readonly number[],
): Promise<Map<number, PackLocation>> {
  const packs = await tx.packs.byIds(ids)
  const copies = await tx.copies.of(ids)
  const located = new Map<number, PackLocation>()
  const nodesMax = nodesPerPack(context, packs.length)
  for (const [index, pack] of packs.entries()) {
    if (pack === undefined) continue
    const nodes = likelyFirst(context, copies[index] ?? []).slice(0, nodesMax)
    located.set(pack.id, { packId: pack.packId, lengthBytes: pack.lengthBytes, nodes })
  }
  return located
}

/** How many nodes each of so many packs can name without making the answer too long. */
function nodesPerPack(context: ManagerContext, packs: number): number {
  const longest = Math.max(0, ...context.members.infos().map(({ node }) => JSON.stringify(node).length))
  return Math.max(1, Math.floor(pageBytesMax / (packs * longest)))
}

/** The sooner a node is likely to answer, the lower. */
const likelihood: Record<NodeState, number> = {
  up: 0,
  draining: 1,
  drained: 1,
  joining: 2,
  suspect: 3,
  dead: 4,
  removed: 5,
}

function likelyFirst(context: ManagerContext, copies: readonly CopyRow[]): NodeRef[] {
  const nodes = copies.flatMap((copy) => context.members.byRow(copy.node)?.ref ?? [])
  const rank = (node: NodeRef): number => likelihood[context.members.state(node.nodeId)]
  return nodes.filter((node) => context.members.state(node.nodeId) !== 'removed').sort((a, b) => rank(a) - rank(b))
}
