import type { LogReport } from '../core/messages.ts'
import type { LogEntry, LogPosition, WitnessStatement } from '../core/model.ts'
import { signWitness } from '../format/witness-statement.ts'
import type { ChainEnd } from '../format/log-chain.ts'
import type { Catalogue } from './catalogue.ts'
import type { NodeRow } from './catalogue-rows.ts'
import { appendToLog } from './commit-log.ts'
import type { ManagerContext } from './context.ts'
import type { Identity } from './identity.ts'
import { Lineage } from './lineage.ts'
import type { Surroundings } from './lineage.ts'
import type { LogFeed } from './log-feed.ts'
import { Newcomers, readNewcomers, removeNewcomers } from './newcomers.ts'
import { fromHex } from '../core/ids.ts'

/** Ends of other logs that a recovery took in, and the nodes that it went on without. */
export const recoverySetting = 'recovery'
const rolledBackSetting = 'rolled-back'

export interface RecoveryFacts {
  readonly forgiven: readonly { readonly sequence: number; readonly hash: string }[]
  readonly held: readonly string[]
  /** How many snapshots it could not bring back although a log says that they were committed. */
  readonly incomplete: number
}

export async function openLineage(feed: LogFeed, identity: Identity, surroundings: Surroundings): Promise<Lineage> {
  return feed.catalogue.read(async (tx) => {
    const vaults = (await tx.vaults.all()).map((vault) => vault.minCopies)
    const facts = parseFacts(await tx.settings.get(recoverySetting))
    const nodes = await tx.nodes.all()
    const removed = new Set(nodes.filter(({ admin }) => admin === 'removed').map(({ ref }) => ref.nodeId as string))
    const held = facts.held.filter((id) => !removed.has(id))
    return new Lineage({
      feed,
      epoch: identity.epoch,
      life: identity.life,
      fresh: identity.fresh,
      expected: nodes.filter(({ admin, ref }) => admin !== 'removed' && !held.includes(ref.nodeId)).map(({ id }) => id),
      minCopies: { least: Math.min(...vaults), most: Math.max(...vaults) },
      forgiven: facts.forgiven.map(({ sequence, hash }): ChainEnd => ({ sequence, hash: fromHex(hash) })),
      held,
      rolledBack: Buffer.from((await tx.settings.get(rolledBackSetting)) ?? '').toString(),
      newcomers: new Newcomers(await readNewcomers(tx)),
      surroundings,
    })
  })
}

export function parseFacts(value: Uint8Array | undefined): RecoveryFacts {
  const none = { forgiven: [], held: [], incomplete: 0 }
  if (value === undefined) return none
  return { ...none, ...(JSON.parse(Buffer.from(value).toString()) as Partial<RecoveryFacts>) }
}

/** Takes in what a node says of its log. Resolves with what to answer, nothing when it knows what we do not. */
export async function hearLog(
  context: ManagerContext,
  node: NodeRow,
  report: LogReport,
): Promise<{ logHead: LogPosition | undefined; logEntries: readonly LogEntry[] }> {
  const { lineage, log, catalogue } = context
  const { agrees, from, discovered } = lineage.heardBefore(node, report) ?? (await lineage.hear(node, report))
  if (discovered !== undefined) await sayRolledBack(context, discovered)
  if (!agrees || lineage.state === 'rolled-back') return { logHead: undefined, logEntries: [] }
  const settled = lineage.settleNewcomers()
  if (settled.length > 0) await catalogue.write((tx) => removeNewcomers(tx, settled))
  if (!context.begun.epoch) await beginEpochInLog(context)
  const logEntries = log.knownHead?.sequence === from ? [] : await log.after(from)
  return { logHead: headOf(context, log.knownHead ?? (await log.head())), logEntries }
}

/** How far the log is, for nodes. */
function headOf({ identity }: ManagerContext, end: ChainEnd | undefined): LogPosition | undefined {
  return end === undefined ? undefined : { epoch: identity.epoch, life: identity.life, ...end }
}

/** What clients give to nodes, so that everything up to now cannot be forgotten. */
export async function stateHead(context: ManagerContext): Promise<WitnessStatement> {
  const { clusterId, signer, epoch, life } = context.identity
  const end = (await context.log.head()) ?? { sequence: 0, hash: new Uint8Array(32) }
  return signWitness({ clusterId, position: { epoch, life, ...end } }, signer)
}

/** The catalogue turned out to be an older copy. It stays known over restarts, until a recovery. */
async function sayRolledBack(context: ManagerContext, problem: string): Promise<void> {
  const { catalogue, logger, clock } = context
  logger.error('the catalogue is an older copy; only reading is possible now', { problem })
  const detail = `${problem}; only reading is possible until "twofold manager recover --from-nodes"`
  await catalogue.write(async (tx) => {
    await tx.settings.set(rolledBackSetting, Buffer.from(problem))
    const what = { kind: 'catalogue', timeMs: clock.nowMs(), actor: 'manager', subject: 'an older copy' }
    await tx.operations.add({ ...what, result: 'failed', detail, snapshotId: '', durationMs: 0 })
  })
}

/** The start of this manager becomes part of the log as soon as nobody can know anything newer, never before. */
export async function beginEpochInLog(context: ManagerContext): Promise<void> {
  const { lineage, identity, catalogue } = context
  if (context.begun.epoch || lineage.state !== 'verified') return
  context.begun.epoch = true
  await catalogue.write((tx) => appendToLog(tx, 'epoch', { epoch: identity.epoch, life: identity.life }))
}

/**
 * To be told when a complete list of a node's packs was taken in, of which the catalogue has never heard of `unknown`.
 * When the last recovery went on without the node, this says whether anything is to be recovered from it yet.
 */
export async function hearInventory(context: ManagerContext, node: NodeRow, unknown: number): Promise<void> {
  const { lineage, catalogue } = context
  const before = lineage.held.length
  const discovered = lineage.inventoryTaken(node, unknown)
  if (discovered !== undefined) await sayRolledBack(context, discovered)
  if (lineage.held.length !== before) await keepHeld(catalogue, lineage.held)
}

async function keepHeld(catalogue: Catalogue, held: readonly string[]): Promise<void> {
  await catalogue.write(async (tx) => {
    const facts = parseFacts(await tx.settings.get(recoverySetting))
    await tx.settings.set(recoverySetting, Buffer.from(JSON.stringify({ ...facts, held })))
  })
}
