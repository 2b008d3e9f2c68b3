import type { UntypedServiceImplementation } from '@grpc/grpc-js'
import { service as healthService } from 'grpc-health-check'
import type { Clock } from '../core/clock.ts'
import { TwofoldError } from '../core/errors.ts'
import { serverStreamHandler, unaryHandler } from './handlers.ts'
import type { ServiceMount } from './service-mount.ts'

type ServingStatus = 'SERVING' | 'NOT_SERVING' | 'SERVICE_UNKNOWN'

interface HealthRequest {
  readonly service: string
}

/** How soon a watcher hears of a change. */
const watchIntervalMs = 500

/**
 * `grpc.health.v1.Health` with real meaning: every answer asks `isServing` again. `names` are the services that it
 * speaks for besides the server as a whole, whose name is empty.
 */
export function healthMount(names: readonly string[], isServing: () => boolean, clock: Clock): ServiceMount {
  const known = new Set(['', ...names])
  const statusOf = (service: string): ServingStatus => {
    if (!known.has(service)) return 'SERVICE_UNKNOWN'
    return isServing() ? 'SERVING' : 'NOT_SERVING'
  }
  const implementation: UntypedServiceImplementation = {
    check: unaryHandler<HealthRequest, { status: ServingStatus }>(async ({ service }) => {
      if (!known.has(service)) throw new TwofoldError('not-found', `there is no service "${service}" here`)
      return Promise.resolve({ status: statusOf(service) })
    }),
    list: unaryHandler(() => {
      const statuses = Object.fromEntries([...known].map((name) => [name, { status: statusOf(name) }]))
      return Promise.resolve({ statuses })
    }),
    watch: serverStreamHandler<HealthRequest, { status: ServingStatus }>(async function* ({ service }, { signal }) {
      let last: ServingStatus | undefined
      for (;;) {
        const status = statusOf(service)
        if (status !== last) yield { status }
        last = status
        await clock.sleep(watchIntervalMs, signal)
      }
    }),
  }
  return { definition: healthService, implementation }
}
