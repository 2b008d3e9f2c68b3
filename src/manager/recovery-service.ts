import { TwofoldError } from '../core/errors.ts'
import { ManagerService } from '../gen/twofold/v1/manager.ts'
import type { ManagerServer } from '../gen/twofold/v1/manager.ts'
import { clientStreamHandler, serverStreamHandler, unaryHandler } from '../rpc/handlers.ts'
import type { ServiceMount } from '../rpc/server.ts'
import { heartbeatCalls } from './heartbeats-service.ts'
import * as node from './node-convert.ts'
import type { Recovery } from './recovery/recovery.ts'

/** A recovery behind gRPC: nodes can register and report, everything else must wait. */
export function recoveryService(recovery: Recovery): ServiceMount {
  const refused: Record<string, unknown> = {}
  for (const [name, method] of Object.entries(ManagerService)) {
    refused[name] = method.requestStream ? refuseStream : method.responseStream ? refuseAnswers : refuseCall
  }
  const implementation = {
    ...refused,
    register: unaryHandler(async (request) => node.fromRegistration(await recovery.register(node.toRegister(request)))),
    ...heartbeatCalls((heartbeat) => recovery.heartbeat(heartbeat)),
    reportRecords: clientStreamHandler(async (messages) => {
      await recovery.reportRecords(await node.openRecords(messages))
      return {}
    }),
  } as ManagerServer
  return { definition: ManagerService, implementation }
}

const refuse = (): never => {
  const message = 'the catalogue is being recovered from the nodes; ask again when that is over'
  throw new TwofoldError('unavailable', message, { retryAfterMs: 2000 })
}
const refuseCall = unaryHandler<unknown, never>(async () => refuse())
const refuseStream = clientStreamHandler<unknown, never>(async () => refuse())
const refuseAnswers = serverStreamHandler<unknown, never>(() => refuse())
