import { TwofoldError } from '../core/errors.ts'
import type { NodeId } from '../core/ids.ts'
import { diskReserveBytes } from '../core/limits.ts'
import type { NodeState } from '../core/model.ts'
import type { Random } from '../core/random.ts'

/** A node as placement sees it. */
export interface Candidate {
  readonly nodeId: NodeId
  /** Empty means a domain of its own. */
  readonly failureDomain: string
  readonly state: NodeState
  readonly writable: boolean
  /** As the node reported it. */
  readonly freeBytes: number
  /** Promised to packs since. */
  readonly reservedBytes: number
}

export interface PlacementRequest {
  readonly lengthBytes: number
  /** How many more nodes are wanted, and how many at the least. */
  readonly wanted: number
  readonly least: number
  /** Nodes that are in the pipeline already: never chosen again, and their domains are avoided. */
  readonly keep: readonly NodeId[]
  /** Becomes the primary, if it can be chosen at all. */
  readonly first?: NodeId | undefined
  /** Not chosen while there are enough others. */
  readonly avoid: ReadonlySet<NodeId>
  /** Never chosen. */
  readonly forbid: ReadonlySet<NodeId>
}

/**
 * Chooses nodes for a pack: at random, weighted by the bytes they have left, so that the emptiest get the most; of two
 * such draws the one that is busier with packs in flight loses, so that equal nodes share evenly and those packs go to
 * different primaries. Failure domains differ from each other while there are enough. The first is the primary.
 * @throws TwofoldError `not-enough-nodes`, or `no-room` when enough are up but too few have room.
 */
export function placePack(nodes: readonly Candidate[], request: PlacementRequest, random: Random): NodeId[] {
  const free = new Set([...request.keep, ...request.forbid])
  const able = nodes.filter((node) => node.state === 'up' && node.writable && !free.has(node.nodeId))
  if (able.length < request.least) throw notEnoughNodes(request, able.length)
  const roomy = able.filter((node) => hasRoom(node, request.lengthBytes))
  if (roomy.length < request.least) throw noRoom(request.lengthBytes)
  const preferred = roomy.filter((node) => !request.avoid.has(node.nodeId))
  const eligible = preferred.length >= request.least ? preferred : roomy
  const domains = new Set(nodes.filter((node) => request.keep.includes(node.nodeId)).map(domainOf))
  return choose(eligible, { ...request, domains }, random)
}

/** Bytes that a node can still be given. */
export function bytesLeft(node: Pick<Candidate, 'freeBytes' | 'reservedBytes'>): number {
  return Math.max(0, node.freeBytes - node.reservedBytes)
}

export function hasRoom(node: Pick<Candidate, 'freeBytes' | 'reservedBytes'>, lengthBytes: number): boolean {
  return bytesLeft(node) >= lengthBytes + diskReserveBytes
}

/** What fails together with the node, by a name that only such nodes share. */
export function domainOf(node: Pick<Candidate, 'nodeId' | 'failureDomain'>): string {
  // The prefixes keep a node's own domain apart from one that is named like it.
  return node.failureDomain === '' ? `node ${node.nodeId}` : `domain ${node.failureDomain}`
}

interface Choice extends Pick<PlacementRequest, 'wanted' | 'first' | 'avoid'> {
  readonly domains: Set<string>
}

function choose(eligible: readonly Candidate[], choice: Choice, random: Random): NodeId[] {
  const left = [...eligible]
  const chosen: NodeId[] = []
  while (chosen.length < choice.wanted && left.length > 0) {
    const first = chosen.length === 0 ? left.find((node) => node.nodeId === choice.first) : undefined
    const fresh = left.filter((node) => !choice.avoid.has(node.nodeId))
    const likely = fresh.length > 0 ? fresh : left
    const apart = likely.filter((node) => !choice.domains.has(domainOf(node)))
    const node = first ?? pickLessBusy(apart.length > 0 ? apart : likely, random)
    chosen.push(node.nodeId)
    choice.domains.add(domainOf(node))
    left.splice(left.indexOf(node), 1)
  }
  return chosen
}

function pickLessBusy(nodes: readonly Candidate[], random: Random): Candidate {
  const [one, other] = [pickWeighted(nodes, random), pickWeighted(nodes, random)]
  return promisedShare(other) < promisedShare(one) ? other : one
}

/** Which part of its free bytes is promised to packs in flight. */
function promisedShare(node: Candidate): number {
  return node.reservedBytes / Math.max(1, node.freeBytes)
}

function pickWeighted(nodes: readonly Candidate[], random: Random): Candidate {
  const total = nodes.reduce((sum, node) => sum + bytesLeft(node), 0)
  let point = random.fraction() * total
  let last: Candidate | undefined
  for (const node of nodes) {
    last = node
    point -= bytesLeft(node)
    if (point < 0) break
  }
  if (last === undefined) throw new TwofoldError('internal', 'nothing to choose from')
  return last
}

function notEnoughNodes(request: PlacementRequest, able: number): TwofoldError {
  const needed = request.least + request.keep.length
  return new TwofoldError(
    'not-enough-nodes',
    `not enough nodes: a pack needs ${needed} that are up and writable, and there are ${able + request.keep.length}; ` +
      'start or add a node',
    { retryAfterMs: 1000 },
  )
}

function noRoom(lengthBytes: number): TwofoldError {
  return new TwofoldError(
    'no-room',
    `no storage node has room for ${lengthBytes} bytes with enough copies; add a node, or free space`,
    { retryAfterMs: 1000 },
  )
}
