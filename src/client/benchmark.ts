import { describeError } from '../core/errors.ts'
import type { Disk } from '../core/disk.ts'
import { randomHexId } from '../core/ids.ts'
import type { Session } from '../core/messages.ts'
import type { CallOptions } from '../core/model.ts'
import type { BackupDeps } from './backup-request.ts'
import { measureLocal } from './benchmark-local.ts'
import type { LocalBenchmark } from './benchmark-local.ts'
import { measureRoundTrips, measureThroughput } from './benchmark-network.ts'
import { TrialPacks, trialReason } from './benchmark-packs.ts'
import { measurePipeline } from './benchmark-pipeline.ts'
import type { BenchmarkReport, ClusterFigures, NodeFigures } from './benchmark-report.ts'
import { measureRoundTrip } from './benchmark-timing.ts'
import type { Pace } from './benchmark-timing.ts'
import { RunScope } from './run-scope.ts'
import { SessionKeeper } from './session-keeper.ts'

export interface BenchmarkRequest {
  /** Where a file is written, read, and removed again. */
  readonly disk: Disk
  readonly openUncached: LocalBenchmark['openUncached']
  /** Of each measurement. */
  readonly seconds: number
  /** How much is written at most: to the disk, and by the pipeline to the cluster. At most `benchmarkBytesMax`. */
  readonly bytesMax: number
  /** Whether only this machine is measured. */
  readonly local: boolean
  readonly vault?: string | undefined
}

export interface BenchmarkOptions extends CallOptions {
  /** Called with what is measured next, in words. */
  readonly onStage?: ((what: string) => void) | undefined
}

interface Running {
  readonly request: BenchmarkRequest
  readonly pace: Pace
  readonly onStage: (what: string) => void
}

/**
 * Measures this machine and the cluster. Nothing stays on the nodes, not even when it is interrupted; the history gets
 * an abandoned backup.
 * @throws TwofoldError when the manager cannot be reached, there is no such vault, or the disk fails. What a node or
 * the pipeline cannot do is in the report.
 */
export async function runBenchmark(
  deps: BackupDeps,
  request: BenchmarkRequest,
  options: BenchmarkOptions,
): Promise<BenchmarkReport> {
  const { clock, random, codec } = deps
  const scope = new RunScope(options.signal)
  const pace: Pace = { clock, signal: scope.signal, seconds: request.seconds }
  const onStage = options.onStage ?? ((): void => undefined)
  try {
    // First, so that nobody waits only to hear that the cluster is away.
    const cluster = request.local ? undefined : await measureCluster(deps, { request, pace, onStage }, scope)
    const { disk, openUncached, bytesMax: diskBytesMax } = request
    const local = await measureLocal({ pace, random, codec, disk, openUncached, diskBytesMax, onStage })
    return { local, cluster }
  } catch (error) {
    throw scope.failure(error)
  } finally {
    scope.close()
  }
}

async function measureCluster(deps: BackupDeps, running: Running, scope: RunScope): Promise<ClusterFigures> {
  const { manager } = deps
  const { pace, onStage } = running
  const { signal } = pace
  onStage('round trips')
  const nodes = (await manager.listNodes({ signal })).filter(({ state }) => state !== 'removed')
  const session = await begin(deps, running)
  const keeper = new SessionKeeper(deps, session, (error) => scope.fail(error))
  keeper.start()
  try {
    const managerRoundTrip = await measureRoundTrip(pace, () => manager.listNodes({ signal }))
    const near = await measureRoundTrips({ ...deps, pace }, nodes)
    return { managerRoundTrip, ...(await measureWrites(deps, running, { session, near })) }
  } finally {
    await keeper.stop()
    await giveUp(deps, session)
  }
}

function begin({ manager, clientId, random, hostName, userName }: BackupDeps, running: Running): Promise<Session> {
  const request = {
    ...{ clientId, requestId: randomHexId<string>(random), vault: running.request.vault ?? '' },
    ...{ host: hostName, user: userName, paths: [Buffer.from('/twofold-benchmark')], fileName: '' },
    ...{ parent: '', noParent: true },
  }
  return manager.beginBackup(request, { signal: running.pace.signal })
}

async function measureWrites(
  deps: BackupDeps,
  { request, pace, onStage }: Running,
  { session, near }: { session: Session; near: readonly NodeFigures[] },
): Promise<Omit<ClusterFigures, 'managerRoundTrip'>> {
  const trial = new TrialPacks({ ...deps, session, signal: pace.signal })
  onStage('the way to the nodes')
  const nodes = await measureThroughput({ ...deps, pace }, trial, near)
  onStage('the pipeline')
  const away = near.filter(({ roundTrip }) => roundTrip === undefined).map(({ info }) => info.node.nodeId)
  const pipeline = await measurePipeline({ pace, trial, bytesMax: request.bytesMax, away })
  return { nodes, pipeline }
}

/** Has every node remove what it holds of the session. */
async function giveUp({ manager, logger }: BackupDeps, session: Session): Promise<void> {
  try {
    await manager.endSession(session, trialReason)
  } catch (error) {
    // The lease ends it as well, only later.
    logger.warn('the session of the benchmark could not be ended', { problem: describeError(error) })
  }
}
