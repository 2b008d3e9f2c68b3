import { describeError, TwofoldError } from '../core/errors.ts'
import { randomHexId } from '../core/ids.ts'
import type { NodeId, PackId } from '../core/ids.ts'
import { packBytesTarget } from '../core/limits.ts'
import type { NodeInfo } from '../core/model.ts'
import type { Random } from '../core/random.ts'
import { notPlaced } from './benchmark-packs.ts'
import type { TrialPacks } from './benchmark-packs.ts'
import type { NodeFigures } from './benchmark-report.ts'
import { measureRate, measureRoundTrip, rateOf } from './benchmark-timing.ts'
import type { Pace, Rate, RoundTrip } from './benchmark-timing.ts'
import type { StorageApi } from './storage-api.ts'

export interface NetworkBenchmark {
  readonly pace: Pace
  readonly storage: StorageApi
  readonly random: Random
}

/** Packs that are streamed to one node: each leaves a row in the catalogue, and these are enough for a figure. */
const packsStreamedMax = 8

/** Small calls to every node. What a node does not answer is its problem, and no failure. */
export async function measureRoundTrips(
  { pace, storage, random }: NetworkBenchmark,
  nodes: readonly NodeInfo[],
): Promise<NodeFigures[]> {
  const figures: NodeFigures[] = []
  for (const info of nodes) {
    // A pack that does not exist: the answer comes from memory.
    const packId = randomHexId<PackId>(random)
    const call = (): Promise<unknown> => storage.stat(info.node, packId, { signal: pace.signal })
    const roundTrip = await tried(pace, () => measureRoundTrip(pace, call))
    figures.push({ info, ...(isRoundTrip(roundTrip) ? { roundTrip, problem: '' } : { problem: roundTrip }) })
  }
  return figures
}

/** Streams packs to each node that answers, and reads one back from it. */
export async function measureThroughput(
  benchmark: NetworkBenchmark,
  trial: TrialPacks,
  figures: readonly NodeFigures[],
): Promise<NodeFigures[]> {
  const pack = await trial.fill(Buffer.allocUnsafeSlow(packBytesTarget), packBytesTarget)
  const measured: NodeFigures[] = []
  for (const figure of figures) {
    const { info, problem } = figure
    const others = figures.filter((other) => other !== figure).map((other) => other.info.node.nodeId)
    const peer = figures.find((other) => other !== figure && other.problem === '')?.info.node.nodeId
    const run: NodeRun = { ...benchmark, trial, pack, info, others, peer }
    measured.push(problem === '' ? { ...figure, ...(await measureNode(run)) } : figure)
  }
  return measured
}

interface NodeRun extends NetworkBenchmark {
  readonly trial: TrialPacks
  readonly pack: Uint8Array
  readonly info: NodeInfo
  readonly others: readonly NodeId[]
  /** Another node that answers. */
  readonly peer: NodeId | undefined
}

async function measureNode(run: NodeRun): Promise<Pick<NodeFigures, 'send' | 'receive' | 'problem'>> {
  const send = await tried(run.pace, () => measureSending(run))
  if (typeof send === 'string') return { problem: send }
  const receive = await tried(run.pace, () => measureReceiving(run))
  return typeof receive === 'string' ? { send, problem: receive } : { send, receive, problem: '' }
}

async function measureSending(run: NodeRun): Promise<Rate> {
  const { trial, pack, pace, info, others } = run
  const { clock, seconds } = pace
  let [bytes, elapsedMs] = [0, 0]
  for (let packs = 0; packs < packsStreamedMax && elapsedMs < seconds * 1000; packs++) {
    const allocation = await trial.allocate(pack.length, others)
    try {
      if (allocation.primary.nodeId !== info.node.nodeId) throw notPlaced(info.node)
      const startMs = clock.monotonicMs()
      bytes += await trial.streamOnly(allocation, pack)
      elapsedMs += clock.monotonicMs() - startMs
    } finally {
      await trial.giveUp(allocation)
    }
  }
  return rateOf(bytes, elapsedMs)
}

async function measureReceiving(run: NodeRun): Promise<Rate> {
  const { trial, pack, pace, storage, info, others, peer } = run
  if (peer === undefined) throw new TwofoldError('failed-precondition', 'no other node answers, to send it a copy')
  const allocation = await trial.allocateReplica(info.node, { lengthBytes: pack.length, others, peer })
  try {
    await trial.makeDurable(allocation, pack)
    return await measureRate(pace, async () => {
      let bytes = 0
      const request = { packId: allocation.packId, ranges: [] }
      for await (const { data } of storage.read(info.node, request, { signal: pace.signal })) bytes += data.length
      return bytes
    })
  } finally {
    await trial.giveUp(allocation)
  }
}

/** What `work` gives, or in words why it failed. @throws the signal's reason */
async function tried<T extends object>({ signal }: Pace, work: () => Promise<T>): Promise<T | string> {
  try {
    return await work()
  } catch (error) {
    signal.throwIfAborted()
    return error instanceof TwofoldError ? error.message : describeError(error)
  }
}

function isRoundTrip(result: RoundTrip | string): result is RoundTrip {
  return typeof result !== 'string'
}
