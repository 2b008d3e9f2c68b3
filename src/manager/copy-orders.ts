import { isTwofoldError } from '../core/errors.ts'
import { repairsPerNodeMax, ticketLifeMs } from '../core/limits.ts'
import type { NodeId } from '../core/ids.ts'
import type { Ticket } from '../core/model.ts'
import { signTicket } from '../format/tickets.ts'
import type { ManagerContext } from './context.ts'
import { repairSession } from './copy-receipt.ts'
import type { NodeStanding, Standings } from './node-standing.ts'
import { placePack } from './placement.ts'
import { isSameLook, lookAtPack } from './repair-look.ts'
import type { PackLook } from './repair-look.ts'
import { chooseSource, standingsOf } from './repair-plan.ts'

export interface CopyWish {
  readonly standings: Standings
  /** Rows of nodes that must not get it, beside those that have it. */
  readonly forbidden: readonly number[]
  /** Rows of the nodes that alone may get it; all when undefined. */
  readonly only?: readonly number[]
  /** Who had better send it. */
  readonly from?: number
  readonly move: boolean
}

/** `busy`: there is a way, but the nodes on it have enough to do. */
export type CopyOutcome = 'ordered' | 'busy' | 'no-source' | 'no-target'

/** Orders a copy of a pack to a node that has none, if the catalogue still says what was seen. */
export async function orderCopy(context: ManagerContext, look: PackLook, wish: CopyWish): Promise<CopyOutcome> {
  const { repair } = context
  const source = chooseSource(
    {
      holders: wish.from === undefined ? look.holders : [wish.from],
      avoid: repair.attempts(look.pack.id).sources,
      sending: (node) => repair.sending(node),
      atOnce: repairsPerNodeMax,
    },
    wish.standings,
  )
  if (source === undefined) return 'no-source'
  if (source === 'busy') return 'busy'
  const target = chooseTarget(context, look, wish)
  if (typeof target === 'string') return target
  // Only the number in the ticket tells a repair from one that was given up: nodes refuse the older one.
  const generation = await context.catalogue.write(async (tx) => {
    const now = await lookAtPack(tx, look.pack.id)
    return now !== undefined && isSameLook(now, look) ? tx.packs.raiseGeneration(look.pack.id) : undefined
  })
  if (generation === undefined || !isUnchanged(context, source) || !isUnchanged(context, target)) return 'busy'
  give(context, look, { source, target, generation, move: wish.move })
  return 'ordered'
}

/** Whether the store is still the one that was chosen. */
function isUnchanged(context: ManagerContext, { node, ref }: NodeStanding): boolean {
  return context.members.byRow(node)?.ref.incarnation === ref.incarnation
}

/** A node in another failure domain where there is one, with much room, that has no copy and gets not too many now. */
function chooseTarget(context: ManagerContext, look: PackLook, wish: CopyWish): NodeStanding | 'busy' | 'no-target' {
  const { standings } = wish
  const { repair } = context
  const never = new Set([...look.holders, ...look.dropping, ...wish.forbidden])
  const open = [...standings.values()].filter(
    (node) => !never.has(node.node) && (wish.only === undefined || wish.only.includes(node.node)),
  )
  const idle = open.filter((node) => repair.receiving(node.node) < repairsPerNodeMax)
  const failed = repair.attempts(look.pack.id).targets
  const kept = standingsOf(look.holders, standings).filter((node) => node.keeps)
  const choose = (from: readonly NodeStanding[]): NodeId | undefined => {
    const placement = {
      lengthBytes: look.pack.lengthBytes,
      wanted: 1,
      least: 1,
      keep: kept.map((node) => node.nodeId),
      avoid: new Set(standingsOf([...failed], standings).map((node) => node.nodeId)),
      forbid: new Set<NodeId>(),
    }
    try {
      return placePack([...from, ...kept], placement, context.random)[0]
    } catch (error) {
      if (isTwofoldError(error, 'not-enough-nodes', 'no-room')) return undefined
      throw error
    }
  }
  const chosen = choose(idle)
  if (chosen === undefined) return choose(open) === undefined ? 'no-target' : 'busy'
  return open.find((node) => node.nodeId === chosen) ?? 'no-target'
}

interface Way {
  readonly source: NodeStanding
  readonly target: NodeStanding
  readonly generation: number
  readonly move: boolean
}

function give(context: ManagerContext, look: PackLook, way: Way): void {
  const { source, target, move } = way
  const { pack } = look
  const { packId, lengthBytes } = pack
  const orderId = context.orders.give(source.node, {
    kind: 'copy-pack',
    packId,
    incarnation: source.ref.incarnation,
    ticket: sign(context, look, way),
    target: target.ref,
    bytesPerSecondMax: context.repair.copyBytesPerSecondMax,
  })
  context.repair.begin({
    ...{ orderId, pack: pack.id, packId, lengthBytes, source: source.node, target: target.node, move },
    startedMs: context.clock.monotonicMs(),
  })
  context.members.hold(packId, lengthBytes, [target.nodeId])
}

function sign(context: ManagerContext, { pack, vault }: PackLook, { source, target, generation }: Way): Ticket {
  return signTicket(
    {
      clusterId: context.identity.clusterId,
      vault: vault.name,
      vaultId: vault.vaultId,
      sessionId: repairSession,
      packId: pack.packId,
      generation,
      lengthBytesMax: pack.lengthBytes,
      copies: vault.copies,
      minCopies: vault.minCopies,
      primary: source.ref,
      replicas: [target.ref],
      expiresAtMs: context.time.nowMs() + ticketLifeMs,
      epoch: context.identity.epoch,
    },
    context.identity.signer,
  )
}
