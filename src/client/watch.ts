import { backoffMs } from '../core/backoff.ts'
import type { Clock } from '../core/clock.ts'
import type { WatchedEvent } from '../core/cluster-events.ts'
import { isTwofoldError } from '../core/errors.ts'
import type { CallOptions } from '../core/model.ts'
import type { Random } from '../core/random.ts'
import type { ManagerApi } from './manager-api.ts'

export interface WatchDeps {
  readonly manager: Pick<ManagerApi, 'watchCluster'>
  readonly clock: Clock
  readonly random: Random
}

const pause = { firstMs: 200, mostMs: 5000 }

/**
 * What happens in the cluster, until the signal is aborted. When the manager is lost it waits for it and goes on where
 * it was; only the first connection must succeed.
 */
export async function* watchCluster(
  { manager, clock, random }: WatchDeps,
  resumeToken: string,
  options: CallOptions,
): AsyncGenerator<WatchedEvent> {
  let token = resumeToken
  let begun = false
  for (let failures = 0; ;) {
    try {
      for await (const watched of manager.watchCluster(token, options)) {
        begun = true
        failures = 0
        token = watched.resumeToken
        yield watched
      }
    } catch (error) {
      options.signal?.throwIfAborted()
      if (!begun || !isTwofoldError(error, 'unavailable', 'deadline-exceeded', 'overloaded')) throw error
    }
    await clock.sleep(backoffMs(failures, random, pause), options.signal)
    failures += 1
  }
}
