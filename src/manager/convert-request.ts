/** Messages that come in, as the plain data of `core`. What is missing or malformed is `invalid-argument`. */
import { TwofoldError } from '../core/errors.ts'
import {

  parseChunkId,
  parseClusterId,
  parseIncarnation,
  parseNodeId,
  parsePackId,
  parseSessionId,
  parseSnapshotId,
} from '../core/ids.ts'
import { packRecordsMax, packRefsBytesMax } from '../core/limits.ts'
import type * as plain from '../core/messages.ts'
import type { NodeRef, PackEntry, RecordKind, Signed } from '../core/model.ts'
import type * as common from '../gen/twofold/v1/common.ts'
import type * as wire from '../gen/twofold/v1/manager.ts'

function required<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new TwofoldError('invalid-argument', `the request lacks its ${what}`)
  return value
}

function toNumber(value: bigint): number {
  const number = Number(value)
  if (!Number.isSafeInteger(number)) throw new TwofoldError('invalid-argument', `the number ${value} is too large`)
  return number
}

function toNodeRef(node: common.NodeRef | undefined): NodeRef {
  const { nodeId, incarnation, name, address, failureDomain } = required(node, 'node')
  return {
    nodeId: parseNodeId(nodeId),
    incarnation: parseIncarnation(incarnation),
    name,
    address,
    failureDomain,
  }
}

function toSigned(signed: Signed | undefined, what: string): Signed {
  const { claims, signature } = required(signed, what)
  return { claims, signature }
}

export function toSessionRef(session: wire.SessionRef | undefined): plain.SessionRef {
  const { sessionId, sessionToken } = required(session, 'session')
  return { sessionId: parseSessionId(sessionId), sessionToken }
}

export function toRegister(request: wire.RegisterRequest): plain.RegisterRequest {
  return {
    node: toNodeRef(request.node),
    bootId: request.bootId,
    capacityBytes: toNumber(request.capacityBytes),
    usedBytes: toNumber(request.usedBytes),
    publicKey: request.publicKey,
    putSequence: toNumber(request.putSequence),
    clusterId: request.clusterId === '' ? undefined : parseClusterId(request.clusterId),
    programVersion: request.programVersion,
  }
}

export function toHeartbeat(request: wire.HeartbeatRequest): plain.Heartbeat {
  return {
    nodeId: parseNodeId(request.nodeId),
    incarnation: parseIncarnation(request.incarnation),
    registrationNumber: toNumber(request.registrationNumber),
    sequence: toNumber(request.sequence),
    capacityBytes: toNumber(request.capacityBytes),
    usedBytes: toNumber(request.usedBytes),
    freeBytes: toNumber(request.freeBytes),
    packs: toNumber(request.packs),
    putSequence: toNumber(request.putSequence),
    inventoryDigest: request.inventoryDigest,
    uploads: request.uploads,
    writable: request.writable,
    problem: request.problem,
    results: request.results,
  }
}

const kinds: readonly RecordKind[] = ['data', 'tree', 'snapshot']

function toEntry(entry: wire.PackEntry): PackEntry {
  const { offset, length, plainLength, refs } = entry
  const kind = required(kinds[entry.kind - 1], 'kind of a record')
  return { chunkId: parseChunkId(entry.chunkId), kind, offset, length, plainLength, refs }
}

/** Gathers a commit from its messages; more records or references than a pack can have are refused as they come. */
export async function readCommitPack(messages: AsyncIterable<wire.CommitPackRequest>): Promise<plain.CommitPackRequest> {
  let header: wire.CommitPackHeader | undefined
  const entries: PackEntry[] = []
  let refsBytes = 0
  for await (const { part } of messages) {
    if (part?.$case === 'header' && header === undefined) {
      header = part.value
      continue
    }
    if (part?.$case !== 'batch' || header === undefined) {
      throw new TwofoldError('invalid-argument', 'a commit is one header, then batches of records')
    }
    for (const entry of part.value.entries) {
      entries.push(toEntry(entry))
      refsBytes += entry.refs.length
    }
    if (entries.length > packRecordsMax || refsBytes > packRefsBytesMax) {
      throw new TwofoldError('invalid-argument', `a pack has at most ${packRecordsMax} records and ${packRefsBytesMax} bytes of references`)
    }
  }
  const { ticket, receipts } = required(header, 'header')
  return {
    ticket: toSigned(ticket, 'ticket'),
    receipts: receipts.map((receipt) => toSigned(receipt, 'receipt')),
    entries,
  }
}

export function toReplaceReplica(request: wire.ReplaceReplicaRequest): plain.ReplaceReplicaRequest {
  return {
    ticket: toSigned(request.ticket, 'ticket'),
    failedNodeId: parseNodeId(request.failedNodeId),
    reason: request.reason,
  }
}

export function toAllocatePack(request: wire.AllocatePackRequest): plain.AllocatePackRequest {
  return {
    session: toSessionRef(request.session),
    requestId: request.requestId,
    lengthBytes: toNumber(request.lengthBytes),
    excludeNodeIds: request.excludeNodeIds.map(parseNodeId),
  }
}

export function toAbandonPack(request: wire.AbandonPackRequest): plain.AbandonPackRequest {
  return {
    session: toSessionRef(request.session),
    packId: parsePackId(request.packId),
    reason: request.reason,
  }
}

export function toCommitSnapshot(request: wire.CommitSnapshotRequest): plain.CommitSnapshotRequest {
  return {
    session: toSessionRef(request.session),
    snapshotId: parseSnapshotId(request.snapshotId),
    manifest: request.manifest,
  }
}

/** A filter that is not set is one that everything in the default vault passes. */
export function toFilter(filter: wire.SnapshotFilter | undefined): plain.SnapshotFilter {
  return filter ?? { vault: '', host: '', paths: [], tags: [] }
}

export function toListFileVersions(request: wire.ListFileVersionsRequest): plain.ListFileVersionsRequest {
  return { ...request, version: toNumber(request.version) }
}

export const toChunkIds = (ids: readonly Uint8Array[]): ReturnType<typeof parseChunkId>[] => ids.map(parseChunkId)

