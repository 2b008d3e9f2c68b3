import { parseIncarnation, parseNodeId } from './ids.ts'
import type { NodeRef } from './model.ts'

/** A node as some message names it. @throws TwofoldError `invalid-argument` unless its ids are ids */
export function toNodeRef(fields: Readonly<Record<keyof NodeRef, string>>): NodeRef {
  const { nodeId, incarnation, name, address, failureDomain } = fields
  return { nodeId: parseNodeId(nodeId), incarnation: parseIncarnation(incarnation), name, address, failureDomain }
}
