import { TwofoldError } from '../core/errors.ts'
import { parseChunkId, parseClusterId, parseIncarnation, parsePackId } from '../core/ids.ts'
import type { Incarnation, PackId } from '../core/ids.ts'
import type {
  CommitPackRequest,
  ExpectedRecord,
  Heartbeat,
  HeartbeatReply,
  InventoryReport,
  LogReport,
  Order,
  RecordsPart,
  RecordsReport,
  RegisterRequest,
  Registration,
  Sender,
} from '../core/messages.ts'
import type { ReadRequest, ReplicateHeader, UploadHeader } from '../core/storage-messages.ts'
import type { LogEntry, LogPosition, NodeRef, NodeState, PackEntry, Signed } from '../core/model.ts'
import { toNodeRef } from '../core/node-ref.ts'
import type * as common from '../gen/twofold/v1/common.ts'
import { NodeState as WireState, RecordKind as WireKind } from '../gen/twofold/v1/manager.ts'
import type * as manager from '../gen/twofold/v1/manager.ts'
import type * as storage from '../gen/twofold/v1/storage.ts'

function missing(what: string): TwofoldError {
  return new TwofoldError('invalid-argument', `the message has no ${what}`)
}

export function toSigned(message: common.Ticket | common.Receipt | common.WitnessStatement | undefined): Signed {
  if (message === undefined) throw missing('ticket, receipt or statement')
  return { claims: message.claims, signature: message.signature }
}

export function toReplacement(message: manager.ReplaceReplicaResponse): { ticket: Signed; replica: NodeRef } {
  if (message.replica === undefined) throw missing('replica')
  return { ticket: toSigned(message.ticket), replica: toNodeRef(message.replica) }
}

export function toUploadHeader(message: storage.UploadHeader): UploadHeader {
  return {
    ticket: toSigned(message.ticket),
    replicas: message.replicas.map(toNodeRef),
    lengthBytes: Number(message.lengthBytes),
  }
}

export function toReplicateHeader(message: {
  ticket?: common.Ticket | undefined
  lengthBytes: bigint
}): ReplicateHeader {
  return { ticket: toSigned(message.ticket), lengthBytes: Number(message.lengthBytes) }
}

export function toReadRequest(message: storage.ReadRequest): ReadRequest {
  const ranges = message.ranges.map(({ offset, length }) => ({ offset: Number(offset), length: Number(length) }))
  return { packId: parsePackId(message.packId), ranges }
}

export function fromRegister(request: RegisterRequest): manager.RegisterRequest {
  return {
    ...request,
    node: request.node,
    capacityBytes: BigInt(request.capacityBytes),
    usedBytes: BigInt(request.usedBytes),
    putSequence: BigInt(request.putSequence),
    bootNumber: BigInt(request.bootNumber ?? 0),
    clusterId: request.clusterId ?? '',
    ...fromLogReport(request),
  }
}

export function fromLogReport({ log, witnessed }: LogReport): {
  log: common.LogPosition | undefined
  witnessed: common.LogPosition | undefined
} {
  return { log: fromPosition(log), witnessed: fromPosition(witnessed) }
}

function fromPosition(position: LogPosition | undefined): common.LogPosition | undefined {
  if (position === undefined) return undefined
  return { ...position, epoch: BigInt(position.epoch), sequence: BigInt(position.sequence) }
}

function toPosition(position: common.LogPosition | undefined): LogPosition | undefined {
  if (position === undefined) return undefined
  return { ...position, epoch: Number(position.epoch), sequence: Number(position.sequence) }
}

function toLogEntry({ sequence, previousHash, hash, kind, payload }: manager.LogEntry): LogEntry {
  return { sequence: Number(sequence), previousHash, hash, kind, payload }
}

export function fromLogEntry(entry: LogEntry): manager.LogEntry {
  return { ...entry, sequence: BigInt(entry.sequence) }
}

export function toRegistration(message: manager.RegisterResponse): Registration {
  return {
    clusterId: parseClusterId(message.clusterId),
    registrationNumber: Number(message.registrationNumber),
    managerPublicKey: message.managerPublicKey,
    heartbeatIntervalMs: message.heartbeatIntervalMs,
    leaseMs: message.leaseMs,
    managerTimeMs: Number(message.managerTimeMs),
    epoch: Number(message.epoch),
  }
}

/** Which process speaks, as the headers of all reports say it. */
function fromSender(sender: Sender): Pick<manager.HeartbeatRequest, keyof Sender> {
  const { nodeId, incarnation, registrationNumber, bootId = '' } = sender
  return { nodeId, incarnation, registrationNumber: BigInt(registrationNumber), bootId }
}

export function fromHeartbeat(heartbeat: Heartbeat): manager.HeartbeatRequest {
  return {
    ...heartbeat,
    ...fromSender(heartbeat),
    sequence: BigInt(heartbeat.sequence),
    capacityBytes: BigInt(heartbeat.capacityBytes),
    usedBytes: BigInt(heartbeat.usedBytes),
    freeBytes: BigInt(heartbeat.freeBytes),
    packs: BigInt(heartbeat.packs),
    putSequence: BigInt(heartbeat.putSequence),
    results: heartbeat.results.map(({ code, ...result }) => ({ ...result, code: code ?? '' })),
    damaged: heartbeat.damaged.map((copy) => ({
      ...copy,
      putSequence: BigInt(copy.putSequence),
      foundAtMs: BigInt(copy.foundAtMs),
    })),
    proven: heartbeat.proven.map((copy) => ({
      ...copy,
      putSequence: BigInt(copy.putSequence),
      provenAtMs: BigInt(copy.provenAtMs),
    })),
    ...fromLogReport(heartbeat),
  }
}

const states: Readonly<Record<number, NodeState>> = {
  [WireState.JOINING]: 'joining',
  [WireState.UP]: 'up',
  [WireState.SUSPECT]: 'suspect',
  [WireState.DEAD]: 'dead',
  [WireState.DRAINING]: 'draining',
  [WireState.DRAINED]: 'drained',
  [WireState.REMOVED]: 'removed',
}

export function toHeartbeatReply(message: manager.HeartbeatResponse): HeartbeatReply {
  return {
    leaseMs: message.leaseMs,
    managerTimeMs: Number(message.managerTimeMs),
    epoch: Number(message.epoch),
    orders: message.orders.map(toOrder),
    state: states[message.state] ?? 'joining',
    logHead: toPosition(message.logHead),
    logEntries: message.logEntries.map(toLogEntry),
  }
}

/** @throws TwofoldError `internal` when there is none in it */
export function toStreamedReply({ heartbeat }: manager.HeartbeatsResponse): HeartbeatReply {
  if (heartbeat === undefined) throw new TwofoldError('internal', 'the manager answered a heartbeat with nothing')
  return toHeartbeatReply(heartbeat)
}

function toOrder({ orderId, epoch, action }: manager.Order): Order {
  return { orderId, epoch: Number(epoch), action: toAction(action) }
}

function toAction(action: manager.Order['action']): Order['action'] {
  switch (action?.$case) {
    case 'dropPack': {
      const { generationMax, putSequenceMax } = action.value
      return { kind: 'drop-pack', ...storedIn(action.value), generationMax, putSequenceMax: Number(putSequenceMax) }
    }
    case 'copyPack': {
      const { ticket, target, bytesPerSecondMax } = action.value
      if (target === undefined) throw missing('target')
      return {
        kind: 'copy-pack',
        ...storedIn(action.value),
        ticket: toSigned(ticket),
        target: toNodeRef(target),
        bytesPerSecondMax: Number(bytesPerSecondMax),
      }
    }
    case 'verifyPack':
      return { kind: 'verify-pack', ...storedIn(action.value), expected: toExpected(action.value.expected) }
    case 'sendInventory':
      return { kind: 'send-inventory' }
    case 'discardDamaged':
      return { kind: 'discard-damaged', ...storedIn(action.value), putSequence: Number(action.value.putSequence) }
    case 'stopNode':
      return { kind: 'stop' }
    case 'sendRecords':
      return { kind: 'send-records' }
    case 'keepCatalogue': {
      const { name, lengthBytes, hash } = action.value
      return { kind: 'keep-catalogue', name, lengthBytes: Number(lengthBytes), hash }
    }
    case undefined:
      return { kind: 'unknown' }
  }
}

function toExpected(expected: manager.ExpectedRecord | undefined): ExpectedRecord | undefined {
  if (expected === undefined) return undefined
  const { chunkId, offset, length } = expected
  return { chunkId: parseChunkId(chunkId), offset, length }
}

function storedIn(value: { packId: string; incarnation: string }): { packId: PackId; incarnation: Incarnation } {
  return { packId: parsePackId(value.packId), incarnation: parseIncarnation(value.incarnation) }
}

/** The messages of an inventory: a header, then batches of at most `batchPacks`. */
export async function* fromInventory(
  { packs, ...header }: InventoryReport,
  batchPacks: number,
): AsyncGenerator<manager.ReportInventoryRequest> {
  const value = {
    ...header,
    ...fromSender(header),
    reportNumber: BigInt(header.reportNumber),
    asOfPutSequence: BigInt(header.asOfPutSequence),
    packs: BigInt(packs.length),
  }
  yield { part: { $case: 'header', value } }
  for (let start = 0; start < packs.length; start += batchPacks) {
    const batch = packs.slice(start, start + batchPacks).map((pack) => ({
      ...pack,
      putSequence: BigInt(pack.putSequence),
      lengthBytes: BigInt(pack.lengthBytes),
      provenAtMs: BigInt(pack.provenAtMs),
    }))
    yield { part: { $case: 'batch', value: { packs: batch } } }
  }
}

const kinds = { data: WireKind.DATA, tree: WireKind.TREE, snapshot: WireKind.SNAPSHOT } as const

/** What one record costs in a batch besides its references, in bytes; a little more than it ever is. */
const entryBytes = 64

/** The messages of a pack's commit: a header, then batches of about `batchBytes`. */
export async function* fromCommitPack(
  { ticket, receipts, entries }: CommitPackRequest,
  batchBytes: number,
): AsyncGenerator<manager.CommitPackRequest> {
  yield { part: { $case: 'header', value: { ticket, receipts: [...receipts] } } }
  let batch: PackEntry[] = []
  let bytes = 0
  for (const entry of entries) {
    batch.push(entry)
    bytes += entryBytes + entry.refs.length
    if (bytes >= batchBytes) {
      yield fromBatch(batch)
      batch = []
      bytes = 0
    }
  }
  if (batch.length > 0) yield fromBatch(batch)
}

/** The messages of a report of everything. */
export async function* fromRecords({ parts, ...header }: RecordsReport): AsyncGenerator<manager.ReportRecordsRequest> {
  const value = { ...fromSender(header), ...fromLogReport(header) }
  yield { part: { $case: 'header', value } }
  for await (const part of parts) yield { part: fromPart(part) }
}

function fromPart(part: RecordsPart): manager.ReportRecordsRequest['part'] {
  switch (part.kind) {
    case 'log':
      return { $case: 'log', value: { entries: part.entries.map(fromLogEntry) } }
    case 'damaged': {
      const { packId, putSequence, problem, foundAtMs } = part
      const value = { packId, putSequence: BigInt(putSequence), problem, foundAtMs: BigInt(foundAtMs) }
      return { $case: 'damaged', value }
    }
    case 'pack': {
      const { vaultId, manifests, complete } = part
      const { packId, generation, putSequence, lengthBytes, provenAtMs } = part.pack
      const pack = { packId, generation, putSequence: BigInt(putSequence), lengthBytes: BigInt(lengthBytes) }
      const entries = part.entries.map((entry) => ({ ...entry, kind: kinds[entry.kind] }))
      const value = { pack: { ...pack, provenAtMs: BigInt(provenAtMs) }, vaultId, entries }
      return { $case: 'pack', value: { ...value, manifests: [...manifests], complete } }
    }
  }
}

function fromBatch(batch: readonly PackEntry[]): manager.CommitPackRequest {
  const entries = batch.map((entry) => ({ ...entry, chunkId: parseChunkId(entry.chunkId), kind: kinds[entry.kind] }))
  return { part: { $case: 'batch', value: { entries } } }
}
