import { doctorPackBytes } from '../core/client-limits.ts'
import { describeError, TwofoldError } from '../core/errors.ts'
import { randomHexId } from '../core/ids.ts'
import type { PackId } from '../core/ids.ts'
import type { Session } from '../core/messages.ts'
import type { ClusterStatus, NodeInfo } from '../core/model.ts'
import type { BackupDeps } from './backup-request.ts'
import { TrialPacks } from './benchmark-packs.ts'
import { finding } from './doctor-findings.ts'
import type { Finding } from './doctor-findings.ts'
import type { RunScope } from './run-scope.ts'
import { SessionKeeper } from './session-keeper.ts'

/** What the history says. */
const reason = 'a check by the doctor, of which nothing is kept'

interface RoundTrips {
  readonly status: ClusterStatus
  readonly vault: string
  readonly scope: RunScope
  readonly tell: (found: Finding) => void
}

/**
 * Writes a pack the way of a backup so that each node gets it, fsynced, and reads it back from there byte by byte. The
 * manager then refuses it, and the nodes remove it.
 */
export async function checkRoundTrips(deps: BackupDeps, run: RoundTrips): Promise<void> {
  const { status, scope, tell } = run
  const nodes = status.nodes.filter(({ state, writable }) => state === 'up' && writable)
  if (nodes.length === 0) return
  let session: Session
  try {
    session = await begin(deps, run)
  } catch (error) {
    scope.signal.throwIfAborted()
    const advice = 'backups fail in the same way: the log of the manager says more'
    return tell(finding('round-trip', 'failure', { text: `no backup can begin: ${wordsOf(error)}`, advice }))
  }
  const keeper = new SessionKeeper(deps, session, (error) => scope.fail(error))
  keeper.start()
  try {
    const trial = new TrialPacks({ ...deps, session, signal: scope.signal, reason })
    const pack = await trial.fill(Buffer.allocUnsafeSlow(2 * doctorPackBytes), doctorPackBytes)
    for (const info of nodes) tell(await checkNode(deps, { run, trial, pack, nodes }, info))
  } finally {
    await keeper.stop()
    await end(deps, session)
  }
}

function begin({ manager, clientId, random, hostName, userName }: BackupDeps, run: RoundTrips): Promise<Session> {
  const request = {
    ...{ clientId, requestId: randomHexId<string>(random), vault: run.vault, host: hostName, user: userName },
    ...{ paths: [Buffer.from('/twofold-doctor')], fileName: '', parent: '', noParent: true },
  }
  return manager.beginBackup(request, { signal: run.scope.signal })
}

async function end({ manager, logger }: BackupDeps, session: Session): Promise<void> {
  try {
    await manager.endSession(session, reason)
  } catch (error) {
    // The lease ends it as well, only later.
    logger.warn('the session of the doctor could not be ended', { problem: describeError(error) })
  }
}

interface Trial {
  readonly run: RoundTrips
  readonly trial: TrialPacks
  readonly pack: Uint8Array
  readonly nodes: readonly NodeInfo[]
}

async function checkNode(deps: BackupDeps, { run, trial, pack, nodes }: Trial, { node }: NodeInfo): Promise<Finding> {
  const { clock, random, storage } = deps
  const { signal } = run.scope
  const { name, address } = node
  try {
    await storage.stat(node, randomHexId<PackId>(random), { signal })
  } catch (error) {
    signal.throwIfAborted()
    const text = `${name} cannot be reached from here at ${address}: ${wordsOf(error)}`
    const advice = 'nodes are reached at the address that they were started with (--listen, --advertise): is it right?'
    return finding('round-trip', 'failure', { node: name, text, advice })
  }
  const others = nodes.filter((other) => other.node.nodeId !== node.nodeId).map((other) => other.node.nodeId)
  // Not always the same one, so that each is a primary, too.
  const peer = others[nodes.findIndex((other) => other.node.nodeId === node.nodeId) % Math.max(1, others.length)]
  if (peer === undefined) {
    const text = `${name} is alone: a pack needs a second node for its copy`
    return finding('round-trip', 'failure', { node: name, text, advice: 'start another node' })
  }
  try {
    const startMs = clock.monotonicMs()
    const allocation = await trial.allocateReplica(node, { lengthBytes: pack.length, others, peer })
    try {
      await trial.makeDurable(allocation, pack)
      await compare(deps, { node, packId: allocation.packId, pack, signal })
    } finally {
      await trial.giveUp(allocation)
    }
    const ms = Math.max(1, Math.round(clock.monotonicMs() - startMs))
    const text = `${name} wrote a pack and its copy to disk and gave it back in ${ms} ms`
    return finding('round-trip', 'ok', { node: name, text })
  } catch (error) {
    signal.throwIfAborted()
    const advice = 'backups through this node fail in the same way: its log says more'
    return finding('round-trip', 'failure', { node: name, text: `${name}: ${wordsOf(error)}`, advice })
  }
}

async function compare(
  { storage }: BackupDeps,
  { node, packId, pack, signal }: { node: NodeInfo['node']; packId: PackId; pack: Uint8Array; signal: AbortSignal },
): Promise<void> {
  let read = 0
  for await (const { offset, data } of storage.read(node, { packId, ranges: [] }, { signal })) {
    const wanted = pack.subarray(offset, offset + data.length)
    if (Buffer.compare(wanted, data) !== 0) throw new TwofoldError('integrity', 'it gave back other bytes than it got')
    read += data.length
  }
  if (read !== pack.length) throw new TwofoldError('integrity', `it gave back ${read} of ${pack.length} bytes`)
}

function wordsOf(error: unknown): string {
  return error instanceof TwofoldError ? error.message : describeError(error)
}
