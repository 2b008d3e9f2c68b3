import type { Clock } from '../core/clock.ts'
import { isTwofoldError } from '../core/errors.ts'
import { randomHexId } from '../core/ids.ts'
import type { CallOptions } from '../core/model.ts'
import type { ShutdownState } from '../core/node-admin.ts'
import type { Random } from '../core/random.ts'
import type { NodeAdminApi } from './node-admin-api.ts'

export interface ShutdownDeps {
  readonly nodeAdmin: NodeAdminApi
  readonly clock: Clock
  readonly random: Random
  readonly hostName: string
  readonly userName: string
}

const pollMs = 200

/** Shuts a cluster down, or cancels that, and tells how far it is as long as there is a manager that says so. */
export async function* followShutdown(
  { nodeAdmin, clock, random, hostName, userName }: ShutdownDeps,
  { now = false, cancel = false }: { now?: boolean; cancel?: boolean },
  options: CallOptions,
): AsyncGenerator<ShutdownState> {
  const who = { actor: `${userName}@${hostName}`, requestId: randomHexId<string>(random) }
  let state = await nodeAdmin.shutDown({ dryRun: false, now, cancel, ...who }, options)
  for (;;) {
    yield state
    if (state.phase === 'off' || state.phase === 'manager') return
    await clock.sleep(pollMs, options.signal)
    try {
      state = await nodeAdmin.getShutdown(options)
    } catch (error) {
      options.signal?.throwIfAborted()
      if (!isTwofoldError(error, 'unavailable')) throw error
      // The manager stopped between two questions.
      state = { ...state, phase: 'manager', sessions: 0, nodes: [] }
    }
  }
}
