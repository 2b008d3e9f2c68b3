import type { NodeRef } from '../core/model.ts'
import { copiesCount } from './membership.ts'
import type { Candidate } from './placement.ts'

/** A node as repair sees it. */
export interface NodeStanding extends Candidate {
  /** Row of the node. */
  readonly node: number
  readonly ref: NodeRef
  /** What fails together with it, by a name that only such nodes share. */
  readonly domain: string
  /** Whether it shall keep what it has: it is not to be emptied, and its disk works. */
  readonly keeps: boolean
  readonly storeFailed: boolean
  /** Whether its list of packs was taken in since it registered. */
  readonly reported: boolean
  readonly leftBytes: number
  readonly capacityBytes: number
  readonly usedBytes: number
}

export type Standings = ReadonlyMap<number, NodeStanding>

/** Whether a copy there counts among those that the vault wants. */
export function isWantedCopy(node: NodeStanding): boolean {
  return node.keeps && copiesCount(node.state)
}

/** Whether it can be ordered to send a copy. */
export function canSend(node: NodeStanding): boolean {
  return node.state === 'up' || node.state === 'draining' || node.state === 'drained'
}

/** Whether a copy there is as good as seen: only these stand in for one that is deleted. */
export function isCertain(node: NodeStanding): boolean {
  return node.keeps && node.state === 'up' && node.reported
}

/** Changes when packs that were well may not be any more, or the other way round. */
export function standingsKey(standings: Standings): string {
  const marks = [...standings.values()].map((node) => {
    const flags = [isWantedCopy(node), copiesCount(node.state), canSend(node), isCertain(node)]
    return `${node.node}:${flags.map(Number).join('')}`
  })
  return marks.join(' ')
}
