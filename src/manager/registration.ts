import { TwofoldError } from '../core/errors.ts'
import { actorNameCharactersMax } from '../core/limits.ts'
import type { RegisterRequest, Registration, Sender } from '../core/messages.ts'
import { oldBootError, rolledBackError } from '../core/rolled-back.ts'
import type { CatalogueWriter } from './catalogue.ts'
import type { NodeRow } from './catalogue-rows.ts'
import { appendToLog } from './commit-log.ts'
import type { ManagerContext } from './context.ts'
import { hearLog } from './lineage-watch.ts'
import { addNewcomer, joinedAt } from './newcomers.ts'
import { forgetOrders } from './repair.ts'

const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/
const addressPattern = /^(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):(\d{1,5})$/

export async function registerNode(context: ManagerContext, request: RegisterRequest): Promise<Registration> {
  requireValid(request)
  requireCluster(context, request)
  const recorded = await context.catalogue.write((tx) => recordRegistration(context, tx, request))
  const { row, dropped, newStore } = recorded
  const before = context.members.find(row.ref.nodeId)?.registrationNumber
  context.members.registered(row)
  if (recorded.joinedAt !== undefined) context.lineage.joined(row.id, recorded.joinedAt)
  if (before !== row.registrationNumber) {
    forgetOrders(context, row.id)
    context.inventories.forget(row.id)
  }
  if (newStore) context.damaged.dropNode(row.id)
  // Also here: what it knows counts before it is given anything to do.
  await hearLog(context, row, request)
  if (dropped > 0) {
    context.durability.copiesChanged()
    const fields = { node: row.ref.name, copies: dropped }
    context.logger.warn('a node came back with another store; its copies are gone', fields)
  }
  return {
    clusterId: context.identity.clusterId,
    registrationNumber: row.registrationNumber,
    managerPublicKey: context.identity.signer.publicKey,
    heartbeatIntervalMs: context.timing.heartbeatIntervalMs,
    leaseMs: context.timing.nodeLeaseMs,
    managerTimeMs: context.time.nowMs(),
    epoch: context.identity.epoch,
  }
}

interface Recorded {
  readonly row: NodeRow
  /** Copies of another store of the node, which are gone. */
  readonly dropped: number
  readonly newStore: boolean
  /** The entry of the log with which the node joined, as long as its word does not count. */
  readonly joinedAt: number | undefined
}

async function recordRegistration(
  context: ManagerContext,
  tx: CatalogueWriter,
  request: RegisterRequest,
): Promise<Recorded> {
  const { nodeId, incarnation } = request.node
  const nodes = await tx.nodes.all()
  const known = nodes.find((node) => node.ref.nodeId === nodeId)
  requireFreeName(request, nodes)
  if (known?.bootId === request.bootId && known.ref.incarnation === incarnation) {
    const { node: ref, capacityBytes } = request
    const row = await tx.nodes.put({ ...known, ref, capacityBytes })
    return { row, dropped: 0, newStore: false, joinedAt: await joinedAt(tx, row.id) }
  }
  if ((await tx.nodes.boot(request.bootId)) !== undefined) {
    throw new TwofoldError(
      'fenced',
      `a newer process serves the store of node ${request.node.name}; this one must stop`,
    )
  }
  const { bootNumber = 0 } = request
  const sameLife = known?.ref.incarnation === incarnation
  if (known !== undefined) requireSuccessor(context, request, known)
  const row = await tx.nodes.put({
    ref: request.node,
    bootId: request.bootId,
    bootNumber: bootNumber === 0 ? (known?.bootNumber ?? 0) : bootNumber,
    registrationNumber: (known?.registrationNumber ?? 0) + 1,
    capacityBytes: request.capacityBytes,
    usedBytes: request.usedBytes,
    publicKey: request.publicKey,
    // Only what was acknowledged counts: a node may report puts that were dropped again before it is asked next.
    putSequence: sameLife ? (known?.putSequence ?? 0) : 0,
    admin: known?.admin ?? 'active',
    programVersion: request.programVersion,
  })
  if (known === undefined) {
    const { sequence } = await appendToLog(tx, 'node', { nodeId, name: request.node.name })
    if (nodes.some(({ admin }) => admin !== 'removed')) await addNewcomer(tx, row.id, sequence)
  }
  const dropped = known === undefined || sameLife ? 0 : await tx.copies.dropNode(row.id)
  if (known !== undefined && !sameLife) await forgetStore(tx, row)
  await tx.operations.add({
    kind: 'register',
    timeMs: context.clock.nowMs(),
    actor: request.node.name,
    subject: request.node.address,
    result: 'ok',
    detail: dropped > 0 ? `a new store; ${dropped} copies are gone` : '',
    snapshotId: '',
    durationMs: 0,
  })
  return { row, dropped, newStore: known !== undefined && !sameLife, joinedAt: await joinedAt(tx, row.id) }
}

/** Whatever is known of what the node's former store held, beside its copies. */
export async function forgetStore(tx: CatalogueWriter, row: NodeRow): Promise<void> {
  await tx.orders.dropNode(row.id)
  await tx.damaged.dropNode(row.id)
  await tx.unknownPacks.dropNode(row.id)
  await tx.nodes.tookInventory(row.id, { registrationNumber: 0, reportNumber: 0, asOfPutSequence: 0 })
}

function requireValid(request: RegisterRequest): void {
  const { name, address, failureDomain } = request.node
  if (!namePattern.test(name)) {
    throw invalid(`"${name.slice(0, 80)}" is no name for a node: use 1 to 63 letters, digits, ".", "_" or "-"`)
  }
  const port = Number(addressPattern.exec(address)?.[1])
  if (!(port >= 1 && port <= 65_535)) {
    throw invalid(`"${address.slice(0, 80)}" is no address: give host:port, where others can reach this node`)
  }
  if (!Number.isSafeInteger(request.capacityBytes) || request.capacityBytes < 1) {
    throw invalid(`a node needs a capacity of at least 1 byte, not ${request.capacityBytes}`)
  }
  if (request.publicKey.length !== 32) throw invalid('a node needs an Ed25519 public key of 32 bytes')
  if (!/^[0-9a-f]{32}$/.test(request.bootId)) throw invalid('a boot id must be 32 hexadecimal digits')
  if (failureDomain.length > actorNameCharactersMax) throw invalid('the name of the failure domain is too long')
}

function requireCluster(context: ManagerContext, request: RegisterRequest): void {
  if (request.clusterId === undefined || request.clusterId === context.identity.clusterId) return
  throw new TwofoldError(
    'failed-precondition',
    `the store of node ${request.node.name} belongs to cluster ${request.clusterId}, ` +
      `and this manager serves ${context.identity.clusterId}; check the manager's address. If it has lost its ` +
      'catalogue: stop it, and run "twofold manager recover --from-nodes"',
  )
}

function requireFreeName(request: RegisterRequest, nodes: readonly NodeRow[]): void {
  const { name, nodeId } = request.node
  const holder = nodes.find((node) => node.ref.name === name && node.ref.nodeId !== nodeId && node.admin !== 'removed')
  if (holder === undefined) return
  throw new TwofoldError(
    'already-exists',
    `the name ${name} belongs to node ${holder.ref.nodeId} at ${holder.ref.address}, and this store is another's; ` +
      'mount the disk of that node, or give this one another name',
    { fields: { node: holder.ref.nodeId, address: holder.ref.address } },
  )
}

/** @throws TwofoldError `failed-precondition` for one that was removed */
export function requireMember({ admin, ref }: NodeRow): void {
  if (admin !== 'removed') return
  throw new TwofoldError('failed-precondition', `node ${ref.name} was removed for good; format a new store for it`)
}

/** Whether this process may take the place of the one that is registered for the same node. */
function requireSuccessor(context: ManagerContext, request: RegisterRequest, known: NodeRow): void {
  const { name, address, incarnation } = request.node
  requireMember(known)
  const silentMs = context.members.silentMs(known.ref.nodeId)
  if (silentMs !== undefined && silentMs < context.timing.suspectAfterMs && address !== known.ref.address) {
    throw new TwofoldError(
      'already-exists',
      `another process at ${known.ref.address} serves the store of node ${name}; stop it, or wait until it is silent`,
      { retryAfterMs: Math.ceil(context.timing.suspectAfterMs - silentMs), fields: { address: known.ref.address } },
    )
  }
  const { bootNumber = 0 } = request
  if (bootNumber !== 0 && bootNumber < known.bootNumber) {
    // Most likely held up by the network, and its process is gone; else it goes on under a new incarnation as below.
    context.logger.warn('a process of a node registers after a later one did', { node: name, bootNumber })
    throw oldBootError(name, bootNumber, known)
  }
  if (incarnation === known.ref.incarnation && request.putSequence < known.putSequence) {
    // The node asks once more, then goes on under a new incarnation: none of its old copies counts any more.
    context.logger.warn('the store of a node is older than what is known of it', { node: name })
    throw rolledBackError(name, request.putSequence, known.putSequence)
  }
}

function invalid(message: string): TwofoldError {
  return new TwofoldError('invalid-argument', message)
}

/**
 * Whether it is the process that registered. Its number alone does not tell: where a catalogue was made again numbers
 * begin anew, and an earlier process of the same store may have had the same one.
 */
export function isSender({ registrationNumber, incarnation, bootId }: Sender, row: NodeRow): boolean {
  const sameNumber = registrationNumber === row.registrationNumber
  return sameNumber && incarnation === row.ref.incarnation && (bootId === undefined || bootId === row.bootId)
}

/**
 * The node that speaks, if it is the process that the manager knows.
 * @throws TwofoldError `not-registered`, and `fenced` when a newer process took its place.
 */
export function requireRegistered(context: ManagerContext, from: Sender): NodeRow {
  const row = context.members.find(from.nodeId)
  if (row === undefined || from.registrationNumber > row.registrationNumber) throw notRegistered()
  if (from.registrationNumber < row.registrationNumber || row.admin === 'removed') {
    throw new TwofoldError('fenced', `a newer process serves the store of node ${row.ref.name}; this one must stop`)
  }
  if (!isSender(from, row)) throw notRegistered()
  return row
}

function notRegistered(): TwofoldError {
  return new TwofoldError('not-registered', 'the manager does not know this registration; register again')
}
