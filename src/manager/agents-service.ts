import { AgentsService } from '../gen/twofold/v1/agents.ts'
import type { AgentsServer } from '../gen/twofold/v1/agents.ts'
import { unaryHandler } from '../rpc/handlers.ts'
import type { ServiceMount } from '../rpc/server.ts'
import type { AgentDesk } from './schedules/agent-desk.ts'
import * as convert from './schedules-convert.ts'

/** The calls of agents behind gRPC: translation and nothing else. */
export function agentsService(desk: AgentDesk): ServiceMount {
  const implementation: AgentsServer = {
    registerAgent: unaryHandler(async (request, options) => {
      const answer = await desk.registerAgent(convert.toRegistration(request), options)
      const { registrationNumber, pollIntervalMs, managerTimeMs } = answer
      return {
        registrationNumber: BigInt(registrationNumber),
        pollIntervalMs,
        managerTimeMs: BigInt(managerTimeMs),
      }
    }),
    poll: unaryHandler(async (request, options) => {
      const orders = await desk.poll(convert.toPoll(request), options)
      return {
        start: orders.start.map(convert.fromStart),
        cancel: orders.cancel.map((number) => BigInt(number)),
        pollIntervalMs: orders.pollIntervalMs,
        managerTimeMs: BigInt(orders.managerTimeMs),
      }
    }),
    reportRun: unaryHandler(async (request, options) => ({
      serial: BigInt(await desk.reportRun(convert.toReport(request), options)),
    })),
  }
  return { definition: AgentsService, implementation }
}
