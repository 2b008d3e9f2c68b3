import { TwofoldError } from '../core/errors.ts'
import { actorNameCharactersMax } from '../core/limits.ts'
import type { CallOptions, NodeState } from '../core/model.ts'
import type {
  NodeOutlook,
  NodeRequest,
  RebalanceOutlook,
  RebalanceRequest,
  ShutdownRequest,
  ShutdownState,
  Task,
} from '../core/node-admin.ts'
import { appendToLog } from './commit-log.ts'
import type { CatalogueWriter } from './catalogue.ts'
import type { NodeAdminState, NodeRow } from './catalogue-rows.ts'
import type { ManagerContext } from './context.ts'
import { estimateTargets, lossOf, snapshotsOf } from './node-outlook.ts'
import type { Loss } from './node-outlook.ts'
import { rebalance } from './rebalance.ts'
import { forgetStore, requireMember } from './registration.ts'
import { forgetOrders } from './repair.ts'
import { shutDown, shutdownState } from './shutdown.ts'
import { listTasks } from './tasks.ts'

/** What people decide about nodes. `admin.proto` has the meaning, idempotency and errors of every call. */
export class NodeAdmin {
  readonly #context: ManagerContext

  constructor(context: ManagerContext) {
    this.#context = context
  }

  async drainNode(request: NodeRequest, options?: CallOptions): Promise<NodeOutlook> {
    options?.signal?.throwIfAborted()
    const context = this.#context
    const row = findNode(context, request.node)
    requireMember(row)
    const loss = await lossOf(context, row.id)
    const changed = row.admin === 'active'
    if (changed && !request.dryRun) await decide(context, row, { ...request, admin: 'draining', kind: 'drain' })
    return outlook(context, row, { changed, loss })
  }

  async resumeNode(request: NodeRequest, options?: CallOptions): Promise<NodeOutlook> {
    options?.signal?.throwIfAborted()
    const context = this.#context
    const row = findNode(context, request.node)
    requireMember(row)
    const changed = row.admin !== 'active'
    if (changed && !request.dryRun) await decide(context, row, { ...request, admin: 'active', kind: 'resume' })
    const loss = { packs: 0, bytes: 0, last: new Set<number>(), short: new Set<number>(), shortBytes: 0, version: 0 }
    return outlook(context, row, { changed, loss })
  }

  async removeNode(request: NodeRequest, options?: CallOptions): Promise<NodeOutlook> {
    options?.signal?.throwIfAborted()
    const context = this.#context
    const row = findNode(context, request.node)
    const loss = await lossOf(context, row.id)
    if (row.admin === 'removed') return outlook(context, row, { changed: false, loss })
    if (request.dryRun) return outlook(context, row, { changed: true, loss })
    requireRemovable(row, { state: context.members.state(row.ref.nodeId), loss, force: request.force })
    const answer = await outlook(context, row, { changed: true, loss })
    await remove(context, row, { request, loss })
    return { ...answer, state: 'removed' }
  }

  rebalance(request: RebalanceRequest, options?: CallOptions): Promise<RebalanceOutlook> {
    options?.signal?.throwIfAborted()
    return rebalance(this.#context, request)
  }

  async shutDown(request: ShutdownRequest, options?: CallOptions): Promise<ShutdownState> {
    options?.signal?.throwIfAborted()
    return shutDown(this.#context, request)
  }

  async getShutdown(options?: CallOptions): Promise<ShutdownState> {
    options?.signal?.throwIfAborted()
    return shutdownState(this.#context)
  }

  listTasks(options?: CallOptions): Promise<readonly Task[]> {
    options?.signal?.throwIfAborted()
    return Promise.resolve(listTasks(this.#context))
  }
}

/** By name or id; of several that had the name, the one that was not removed. */
function findNode(context: ManagerContext, name: string): NodeRow {
  const named = context.members.rows().filter(({ ref }) => ref.name === name || ref.nodeId === name)
  const found = named.find(({ admin }) => admin !== 'removed') ?? named.at(-1)
  if (found === undefined) {
    throw new TwofoldError(
      'not-found',
      `there is no node "${name.slice(0, 80)}"; "twofold nodes" lists those there are`,
    )
  }
  return found
}

interface Outlook {
  readonly changed: boolean
  readonly loss: Loss
}

async function outlook(context: ManagerContext, row: NodeRow, { changed, loss }: Outlook): Promise<NodeOutlook> {
  const hurt = await snapshotsOf(context, loss.short)
  return {
    node: row.ref.name,
    state: context.members.state(row.ref.nodeId),
    changed,
    packs: loss.packs,
    bytes: loss.bytes,
    targets: estimateTargets(loss.shortBytes, row.id, context.members.standings()),
    lastCopies: loss.last.size,
    short: loss.short.size,
    snapshots: hurt.count,
    snapshotIds: hurt.ids,
  }
}

interface Decision {
  readonly admin: NodeAdminState
  readonly kind: string
  readonly actor: string
}

async function decide(context: ManagerContext, row: NodeRow, { admin, kind, actor }: Decision): Promise<void> {
  context.lineage.requireWritable()
  const now = await context.catalogue.write(async (tx) => {
    requireMember((await tx.nodes.find(row.ref.nodeId)) ?? row)
    await record(context, tx, { row, kind, actor, detail: '' })
    return tx.nodes.setAdmin(row.id, admin)
  })
  context.members.registered(now)
  context.drains.forget(row.id)
}

async function record(
  context: ManagerContext,
  tx: CatalogueWriter,
  entry: { readonly row: NodeRow; readonly kind: string; readonly actor: string; readonly detail: string },
): Promise<void> {
  const { row, kind, actor, detail } = entry
  await tx.operations.add({
    kind,
    timeMs: context.clock.nowMs(),
    actor: actor.slice(0, actorNameCharactersMax),
    subject: row.ref.name,
    result: 'ok',
    detail,
    snapshotId: '',
    durationMs: 0,
  })
}

interface Removal {
  readonly state: NodeState
  readonly loss: Loss
  readonly force: boolean
}

/** @throws TwofoldError `failed-precondition` */
function requireRemovable({ ref }: NodeRow, { state, loss, force }: Removal): void {
  if (state !== 'drained' && state !== 'dead' && !(force && state === 'draining')) {
    throw new TwofoldError(
      'failed-precondition',
      `node ${ref.name} is ${state}; empty it first with "twofold node drain ${ref.name}"`,
    )
  }
  if (loss.last.size === 0 || force) return
  throw new TwofoldError(
    'failed-precondition',
    `node ${ref.name} has the only copies of ${loss.last.size} packs, and without it their files are lost; bring it ` +
      'back, or remove it with --force ("--dry-run" names the snapshots)',
  )
}

async function remove(
  context: ManagerContext,
  row: NodeRow,
  { request, loss }: { readonly request: NodeRequest; readonly loss: Loss },
): Promise<void> {
  const { nodeId, name, incarnation } = row.ref
  context.lineage.requireWritable()
  const now = await context.catalogue.write(async (tx) => {
    const current = await tx.nodes.find(nodeId)
    if (current?.admin === 'removed') return current
    if ((await tx.copies.version()) !== loss.version || current?.registrationNumber !== row.registrationNumber) {
      throw new TwofoldError('unavailable', 'copies went while this was looked at; ask again', { retryAfterMs: 1000 })
    }
    const copies = await tx.copies.dropNode(row.id)
    await forgetStore(tx, row)
    await record(context, tx, { row, kind: 'remove', actor: request.actor, detail: `${copies} copies forgotten` })
    await appendToLog(tx, 'node-removed', { nodeId, name, incarnation })
    return tx.nodes.setAdmin(row.id, 'removed')
  })
  context.members.registered(now)
  context.lineage.release(nodeId)
  forgetOrders(context, row.id)
  context.inventories.forget(row.id)
  context.damaged.dropNode(row.id)
  context.drains.forget(row.id)
  context.durability.copiesChanged()
}
