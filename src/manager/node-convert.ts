/** Between the messages of nodes and the plain data of `core`, as in `convert.ts`. */
import { TwofoldError, errorCodes } from '../core/errors.ts'
import { parseChunkId, parseClusterId, parseIncarnation, parseNodeId, parsePackId } from '../core/ids.ts'
import { packRecordsMax, packRefsBytesMax, packsPerNodeMax } from '../core/limits.ts'
import type * as plain from '../core/messages.ts'
import type { LogEntry, LogPosition, PackEntry, RecordKind } from '../core/model.ts'
import { toNodeRef } from '../core/node-ref.ts'
import type * as common from '../gen/twofold/v1/common.ts'
import type * as wire from '../gen/twofold/v1/manager.ts'
import { fromSigned, required, states, toNumber, toSigned } from './convert.ts'

export function toRegister(request: wire.RegisterRequest): plain.RegisterRequest {
  return {
    node: toNodeRef(required(request.node, 'node')),
    bootId: request.bootId,
    bootNumber: toNumber(request.bootNumber),
    capacityBytes: toNumber(request.capacityBytes),
    usedBytes: toNumber(request.usedBytes),
    publicKey: request.publicKey,
    putSequence: toNumber(request.putSequence),
    clusterId: request.clusterId === '' ? undefined : parseClusterId(request.clusterId),
    programVersion: request.programVersion,
    ...toLogReport(request),
  }
}

/** Which process of a node speaks. */
function toSender(from: Pick<wire.HeartbeatRequest, keyof plain.Sender>): plain.Sender {
  return {
    nodeId: parseNodeId(from.nodeId),
    incarnation: parseIncarnation(from.incarnation),
    registrationNumber: toNumber(from.registrationNumber),
    ...(from.bootId === '' ? {} : { bootId: from.bootId }),
  }
}

export function toHeartbeat(request: wire.HeartbeatRequest): plain.Heartbeat {
  return {
    ...toSender(request),
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
    results: request.results.map(toOrderResult),
    damaged: request.damaged.map((copy) => ({
      packId: parsePackId(copy.packId),
      putSequence: toNumber(copy.putSequence),
      problem: copy.problem,
      foundAtMs: toNumber(copy.foundAtMs),
    })),
    proven: request.proven.map((copy) => ({
      packId: parsePackId(copy.packId),
      putSequence: toNumber(copy.putSequence),
      provenAtMs: toNumber(copy.provenAtMs),
    })),
    storeFailed: request.storeFailed,
    ...toLogReport(request),
  }
}

function toLogReport(request: {
  log?: common.LogPosition | undefined
  witnessed?: common.LogPosition | undefined
}): plain.LogReport {
  return { log: toPosition(request.log), witnessed: toPosition(request.witnessed) }
}

function toPosition(position: common.LogPosition | undefined): LogPosition | undefined {
  if (position === undefined) return undefined
  const { epoch, life, sequence, hash } = position
  if (hash.length !== 32) throw new TwofoldError('invalid-argument', 'the hash of a log entry must be 32 bytes')
  return { epoch: toNumber(epoch), life, sequence: toNumber(sequence), hash }
}

function fromPosition(position: LogPosition | undefined): common.LogPosition | undefined {
  if (position === undefined) return undefined
  return { ...position, epoch: BigInt(position.epoch), sequence: BigInt(position.sequence) }
}

function fromLogEntry({ sequence, previousHash, hash, kind, payload }: LogEntry): wire.LogEntry {
  return { sequence: BigInt(sequence), previousHash, hash, kind, payload }
}

function toOrderResult(result: wire.OrderResult): plain.OrderResult {
  const { orderId, done, problem, code, receipt } = result
  return {
    orderId,
    done,
    problem,
    code: errorCodes.find((known) => known === code),
    receipt: receipt === undefined ? undefined : toSigned(receipt, 'receipt'),
  }
}

/** Gathers a report from its messages. More packs than a node can have are refused as they come. */
export async function readInventory(
  messages: AsyncIterable<wire.ReportInventoryRequest>,
): Promise<plain.InventoryReport> {
  let header: wire.InventoryHeader | undefined
  const packs: plain.InventoryEntry[] = []
  for await (const { part } of messages) {
    if (part?.$case === 'header' && header === undefined) {
      header = part.value
      continue
    }
    if (part?.$case !== 'batch' || header === undefined) {
      throw new TwofoldError('invalid-argument', 'a report is one header, then batches of packs')
    }
    for (const pack of part.value.packs) packs.push(toInventoryEntry(pack))
    if (packs.length > Math.min(toNumber(header.packs), packsPerNodeMax)) throw wrongLength(header, packs.length)
  }
  const { reportNumber, asOfPutSequence, packs: count, ...sender } = required(header, 'header')
  if (toNumber(count) !== packs.length) throw wrongLength({ packs: count }, packs.length)
  return {
    ...toSender(sender),
    reportNumber: toNumber(reportNumber),
    asOfPutSequence: toNumber(asOfPutSequence),
    packs,
  }
}

function wrongLength({ packs }: { packs: bigint }, came: number): TwofoldError {
  return new TwofoldError('invalid-argument', `a report of ${packs} packs has ${came}; at most ${packsPerNodeMax}`)
}

function toInventoryEntry(entry: wire.InventoryEntry): plain.InventoryEntry {
  return {
    packId: parsePackId(entry.packId),
    generation: entry.generation,
    putSequence: toNumber(entry.putSequence),
    lengthBytes: toNumber(entry.lengthBytes),
    provenAtMs: toNumber(entry.provenAtMs),
  }
}

const kinds: readonly RecordKind[] = ['data', 'tree', 'snapshot']

function toEntry(entry: wire.PackEntry): PackEntry {
  const { offset, length, plainLength, refs } = entry
  const kind = required(kinds[entry.kind - 1], 'kind of a record')
  return { chunkId: parseChunkId(entry.chunkId), kind, offset, length, plainLength, refs }
}

/** Gathers a commit from its messages; more records or references than a pack can have are refused as they come. */
export async function readCommitPack(
  messages: AsyncIterable<wire.CommitPackRequest>,
): Promise<plain.CommitPackRequest> {
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
      throw new TwofoldError(
        'invalid-argument',
        `a pack has at most ${packRecordsMax} records and ${packRefsBytesMax} bytes of references`,
      )
    }
  }
  const { ticket, receipts } = required(header, 'header')
  return {
    ticket: toSigned(ticket, 'ticket'),
    receipts: receipts.map((receipt) => toSigned(receipt, 'receipt')),
    entries,
  }
}

/** The header of a report of everything, and its parts as they come. */
export async function openRecords(messages: AsyncIterable<wire.ReportRecordsRequest>): Promise<plain.RecordsReport> {
  const iterator = messages[Symbol.asyncIterator]()
  const first = await iterator.next()
  const part = first.done === true ? undefined : first.value.part
  if (part?.$case !== 'header') throw new TwofoldError('invalid-argument', 'a report begins with its header')
  return {
    ...toSender(part.value),
    ...toLogReport(part.value),
    parts: recordParts(iterator),
  }
}

async function* recordParts(rest: AsyncIterator<wire.ReportRecordsRequest>): AsyncGenerator<plain.RecordsPart> {
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) {
    const { part } = next.value
    if (part?.$case === 'log') {
      yield { kind: 'log', entries: part.value.entries.map(toLogEntry) }
    } else if (part?.$case === 'pack') {
      const { vaultId, entries, manifests, complete } = part.value
      if (vaultId.length !== 16) throw new TwofoldError('invalid-argument', 'the id of a vault must be 16 bytes')
      const pack = toInventoryEntry(required(part.value.pack, 'pack'))
      yield { kind: 'pack', pack, vaultId, entries: entries.map(toEntry), manifests, complete }
    } else if (part?.$case === 'damaged') {
      const { packId, putSequence, problem, foundAtMs } = part.value
      const copy = { packId: parsePackId(packId), putSequence: toNumber(putSequence), problem }
      yield { kind: 'damaged', ...copy, foundAtMs: toNumber(foundAtMs) }
    } else {
      throw new TwofoldError('invalid-argument', 'a report is one header, then its log and its packs')
    }
  }
}

function toLogEntry({ sequence, previousHash, hash, kind, payload }: wire.LogEntry): LogEntry {
  return { sequence: toNumber(sequence), previousHash, hash, kind, payload }
}

export function toReplaceReplica(request: wire.ReplaceReplicaRequest): plain.ReplaceReplicaRequest {
  return {
    ticket: toSigned(request.ticket, 'ticket'),
    failedNodeId: parseNodeId(request.failedNodeId),
    reason: request.reason,
  }
}

export function fromRegistration(registration: plain.Registration): wire.RegisterResponse {
  return {
    clusterId: registration.clusterId,
    registrationNumber: BigInt(registration.registrationNumber),
    managerPublicKey: registration.managerPublicKey,
    heartbeatIntervalMs: registration.heartbeatIntervalMs,
    leaseMs: registration.leaseMs,
    managerTimeMs: BigInt(registration.managerTimeMs),
    epoch: BigInt(registration.epoch),
  }
}

function fromOrder(order: plain.Order): wire.Order {
  const { orderId, action } = order
  const epoch = BigInt(order.epoch)
  switch (action.kind) {
    case 'unknown':
      return { orderId, epoch }
    case 'drop-pack': {
      const { packId, incarnation, generationMax } = action
      const value = { packId, incarnation, putSequenceMax: BigInt(action.putSequenceMax), generationMax }
      return { orderId, epoch, action: { $case: 'dropPack', value } }
    }
    case 'copy-pack': {
      const { packId, incarnation, target } = action
      const bytesPerSecondMax = BigInt(action.bytesPerSecondMax)
      const value = { packId, incarnation, ticket: fromSigned(action.ticket), target, bytesPerSecondMax }
      return { orderId, epoch, action: { $case: 'copyPack', value } }
    }
    case 'verify-pack': {
      const { packId, incarnation, expected } = action
      return { orderId, epoch, action: { $case: 'verifyPack', value: { packId, incarnation, expected } } }
    }
    case 'send-inventory':
      return { orderId, epoch, action: { $case: 'sendInventory', value: {} } }
    case 'discard-damaged': {
      const { packId, incarnation } = action
      const value = { packId, incarnation, putSequence: BigInt(action.putSequence) }
      return { orderId, epoch, action: { $case: 'discardDamaged', value } }
    }
    case 'stop':
      return { orderId, epoch, action: { $case: 'stopNode', value: {} } }
    case 'send-records':
      return { orderId, epoch, action: { $case: 'sendRecords', value: {} } }
    case 'keep-catalogue': {
      const value = { name: action.name, lengthBytes: BigInt(action.lengthBytes), hash: action.hash }
      return { orderId, epoch, action: { $case: 'keepCatalogue', value } }
    }
  }
}

export function fromHeartbeatReply(reply: plain.HeartbeatReply): wire.HeartbeatResponse {
  return {
    leaseMs: reply.leaseMs,
    managerTimeMs: BigInt(reply.managerTimeMs),
    epoch: BigInt(reply.epoch),
    orders: reply.orders.map(fromOrder),
    state: states[reply.state],
    logHead: fromPosition(reply.logHead),
    logEntries: (reply.logEntries ?? []).map(fromLogEntry),
  }
}
