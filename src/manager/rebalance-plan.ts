import { rebalanceTolerance } from '../core/limits.ts'
import type { ByteShare } from '../core/node-admin.ts'
import type { NodeStanding, Standings } from './node-standing.ts'
import { isOpen, usedShare } from './repair-plan.ts'

/** The share of their capacity that nodes would all use if everything were spread evenly. */
export function meanShare(nodes: readonly NodeStanding[]): number {
  const used = nodes.reduce((sum, node) => sum + node.usedBytes, 0)
  return (
    used /
    Math.max(
      1,
      nodes.reduce((sum, node) => sum + node.capacityBytes, 0),
    )
  )
}

/** From where to where the next pack goes; undefined when all nodes are near enough to the mean share. */
export function chooseMove(
  standings: Standings,
  tolerance: number,
): { readonly from: NodeStanding; readonly to: NodeStanding } | undefined {
  const nodes = partners(standings)
  const mean = meanShare(nodes)
  const sorted = nodes.toSorted((a, b) => usedShare(b) - usedShare(a) || a.node - b.node)
  const [from] = sorted
  const to = sorted.filter(isOpen).at(-1)
  if (from === undefined || to === undefined || from === to || usedShare(to) >= mean) return undefined
  const far = usedShare(from) - mean > tolerance || mean - usedShare(to) > tolerance
  // A node that is only a little above the mean still gives to one that is far below.
  return far && usedShare(from) > mean ? { from, to } : undefined
}

/** What is too much where, and what is missing where. */
export function movableBytes(standings: Standings): {
  readonly bytes: number
  readonly from: ByteShare[]
  readonly to: ByteShare[]
} {
  const nodes = partners(standings)
  const mean = meanShare(nodes)
  const beyond = nodes.map((node) => ({ node, bytes: Math.round(node.usedBytes - mean * node.capacityBytes) }))
  if (chooseMove(standings, rebalanceTolerance) === undefined) return { bytes: 0, from: [], to: [] }
  const from = beyond.filter(({ bytes }) => bytes > 0).map(({ node, bytes }) => ({ node: node.ref.name, bytes }))
  const to = beyond.filter(({ bytes }) => bytes < 0).map(({ node, bytes }) => ({ node: node.ref.name, bytes: -bytes }))
  return { bytes: from.reduce((sum, { bytes }) => sum + bytes, 0), from, to }
}

function partners(standings: Standings): NodeStanding[] {
  return [...standings.values()].filter((node) => node.state === 'up' && node.keeps)
}
