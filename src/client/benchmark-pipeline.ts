import type { TwofoldError } from '../core/errors.ts'
import { toTwofoldError } from '../core/errors.ts'
import type { NodeId } from '../core/ids.ts'
import { packBytesTarget, packsInFlight } from '../core/limits.ts'
import type { Allocation } from '../core/messages.ts'
import type { TrialPacks } from './benchmark-packs.ts'
import type { PipelineFigures } from './benchmark-report.ts'
import { rateOf } from './benchmark-timing.ts'
import type { Pace } from './benchmark-timing.ts'
import { ObjectPool } from './object-pool.ts'
import { RunScope } from './run-scope.ts'

export interface PipelineBenchmark {
  readonly pace: Pace
  readonly trial: TrialPacks
  readonly bytesMax: number
  /** Nodes that do not answer. */
  readonly away: readonly NodeId[]
}

/**
 * Sends packs as a first backup does: several on their way while the next is hashed and filled. No more are begun when
 * the time is over; what is on its way counts to its end.
 * @returns why it failed when it did. @throws the signal's reason
 */
export async function measurePipeline(benchmark: PipelineBenchmark): Promise<PipelineFigures | TwofoldError> {
  const { signal } = benchmark.pace
  try {
    return await sendPacks(benchmark)
  } catch (error) {
    signal.throwIfAborted()
    return toTwofoldError(error)
  }
}

async function sendPacks({ pace, trial, bytesMax, away }: PipelineBenchmark): Promise<PipelineFigures> {
  const { clock, signal, seconds } = pace
  const scope = new RunScope(signal)
  const slabs = new ObjectPool(packsInFlight + 1, () => Buffer.allocUnsafeSlow(packBytesTarget))
  const sent: Allocation[] = []
  const send = async (pack: Uint8Array): Promise<void> => {
    const allocation = await trial.allocate(pack.length, away)
    await trial.makeDurable(allocation, pack)
    sent.push(allocation)
  }
  const sending: Promise<void>[] = []
  const startMs = clock.monotonicMs()
  let bytes = 0
  try {
    while (bytes < bytesMax && (bytes === 0 || clock.monotonicMs() - startMs < seconds * 1000)) {
      const slab = await slabs.take(scope.signal)
      const pack = await trial.fill(slab, bytesMax - bytes)
      bytes += pack.length
      sending.push(scope.background(send(pack).finally(() => slabs.give(slab))))
    }
  } finally {
    await Promise.all(sending)
    scope.close()
  }
  scope.throwIfFailed()
  const rate = rateOf(bytes, clock.monotonicMs() - startMs)
  const copies = await Promise.all(sent.map((allocation) => trial.copies(allocation)))
  return { ...rate, packs: sent.length, copies: Math.min(...copies) }
}
