import { packBytesMax } from '../core/limits.ts'
import { copiesCount } from './membership.ts'
import { canSend, isCertain, isWantedCopy } from './node-standing.ts'
import type { NodeStanding, Standings } from './node-standing.ts'
import { hasRoom } from './placement.ts'

/** What a pack needs: the lower, the sooner. */
export const urgencies = ['last-copy', 'short', 'same-domain', 'surplus'] as const
export type Urgency = (typeof urgencies)[number]

/**
 * What is to be done about a pack.
 * @param holders rows of the nodes with a copy
 * @param wanted copies that the vault asks for
 */
export function judgePack(holders: readonly number[], wanted: number, standings: Standings): Urgency | 'lost' | 'fine' {
  const alive = standingsOf(holders, standings).filter((node) => copiesCount(node.state))
  const good = alive.filter(isWantedCopy)
  if (good.length < wanted) {
    if (alive.length === 0) return 'lost'
    return good.length <= 1 ? 'last-copy' : 'short'
  }
  if (good.length === wanted && domainsOf(good) < Math.min(wanted, domainsWithRoom(good, standings))) {
    return 'same-domain'
  }
  const leaving = alive.some((node) => !node.keeps && canSend(node) && !node.storeFailed)
  return good.length > wanted || leaving ? 'surplus' : 'fine'
}

/** How many domains a pack could be spread over. */
function domainsWithRoom(good: readonly NodeStanding[], standings: Standings): number {
  const open = [...standings.values()].filter(isOpen)
  return domainsOf([...good, ...open])
}

/** Whether it can take any pack now. */
export function isOpen(node: NodeStanding): boolean {
  return node.state === 'up' && node.writable && hasRoom(node, packBytesMax)
}

export interface SourceChoice {
  readonly holders: readonly number[]
  /** Those that failed at it. */
  readonly avoid: ReadonlySet<number>
  /** How many packs a node sends now. */
  readonly sending: (node: number) => number
  readonly atOnce: number
}

/** Who sends a pack: one with a good disk, and of these the least busy. `busy` when all that could are busy. */
export function chooseSource(choice: SourceChoice, standings: Standings): NodeStanding | 'busy' | undefined {
  const { holders, avoid, sending, atOnce } = choice
  const able = standingsOf(holders, standings).filter(canSend)
  const fresh = able.filter((node) => !avoid.has(node.node))
  const willing = fresh.length > 0 ? fresh : able
  if (willing.length === 0) return undefined
  const rank = (node: NodeStanding): number => (node.storeFailed ? atOnce : 0) + sending(node.node)
  const idle = willing.filter((node) => sending(node.node) < atOnce)
  return idle.toSorted((a, b) => rank(a) - rank(b) || a.node - b.node)[0] ?? 'busy'
}

/**
 * The copy to give up of a pack that has more than the vault wants, if one may go: as many as wanted must be left on
 * nodes that are up and have told what they hold, and no other copy may be in doubt. One on a node that is to be
 * emptied goes first; then one that shares a failure domain; then one on the fullest node.
 */
export function chooseSurplus(holders: readonly number[], wanted: number, standings: Standings): number | undefined {
  const alive = standingsOf(holders, standings).filter((node) => copiesCount(node.state))
  if (alive.some((node) => node.keeps && !isCertain(node))) return undefined
  const certain = alive.filter(isCertain)
  const leaving = alive.filter((node) => !node.keeps && !node.storeFailed && canSend(node) && node.reported)
  if (certain.length >= wanted && leaving[0] !== undefined) return leaving[0].node
  if (certain.length <= wanted) return undefined
  const spread = (node: NodeStanding): number => domainsOf(certain.filter((other) => other !== node))
  const fullest = certain.toSorted((a, b) => spread(b) - spread(a) || usedShare(b) - usedShare(a) || a.node - b.node)
  return fullest[0]?.node
}

export function usedShare({ usedBytes, capacityBytes }: Pick<NodeStanding, 'usedBytes' | 'capacityBytes'>): number {
  return usedBytes / Math.max(1, capacityBytes)
}

export function standingsOf(nodes: readonly number[], standings: Standings): NodeStanding[] {
  return nodes.flatMap((node) => standings.get(node) ?? [])
}

export function domainsOf(nodes: readonly NodeStanding[]): number {
  return new Set(nodes.map((node) => node.domain)).size
}
