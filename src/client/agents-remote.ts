import type { AgentOrders, AgentPoll, AgentRegistration, RegisterAgentRequest, RunReport } from '../core/agents.ts'
import type { CallOptions } from '../core/model.ts'
import { runStates } from '../core/schedules.ts'
import { AgentsClient, AgentsService } from '../gen/twofold/v1/agents.ts'
import type { RunState as WireState } from '../gen/twofold/v1/schedules.ts'
import type { ChannelPool } from '../rpc/channel.ts'
import { fromWireSpec, toWireSizes } from '../rpc/schedule-messages.ts'
import type { AgentsApi } from './agents-api.ts'
import { required, toNumber } from './convert.ts'
import { ManagerCalls } from './manager-calls-remote.ts'

/** The manager's calls for agents at the other end of gRPC. */
export class AgentsRemote implements AgentsApi {
  readonly #calls: ManagerCalls

  /** @param addresses `host:port` each, at least one. */
  constructor(channels: ChannelPool, addresses: readonly string[]) {
    this.#calls = new ManagerCalls(channels, addresses, AgentsClient)
  }

  async registerAgent(request: RegisterAgentRequest, options?: CallOptions): Promise<AgentRegistration> {
    const { allow, hooks, timeMs, ...rest } = request
    const message = { ...rest, allow: [...allow], hooks: [...hooks], timeMs: BigInt(Math.round(timeMs)) }
    const answer = await this.#calls.call(AgentsService.registerAgent, message, options)
    return {
      registrationNumber: toNumber(answer.registrationNumber),
      pollIntervalMs: answer.pollIntervalMs,
      managerTimeMs: toNumber(answer.managerTimeMs),
    }
  }

  async poll({ registrationNumber, timeMs, running, ...rest }: AgentPoll, options?: CallOptions): Promise<AgentOrders> {
    const message = {
      ...rest,
      registrationNumber: BigInt(registrationNumber),
      timeMs: BigInt(Math.round(timeMs)),
      running: running.map(({ number, attempt, sizes }) => {
        return { runNumber: BigInt(number), attempt, sizes: toWireSizes(sizes) }
      }),
    }
    const answer = await this.#calls.call(AgentsService.poll, message, options)
    return {
      start: answer.start.map(({ runNumber, attempt, scheduleId, spec }) => {
        const sent = fromWireSpec(required(spec, 'spec of a run'))
        return { number: toNumber(runNumber), attempt, scheduleId, spec: sent }
      }),
      cancel: answer.cancel.map(toNumber),
      pollIntervalMs: answer.pollIntervalMs,
      managerTimeMs: toNumber(answer.managerTimeMs),
    }
  }

  async reportRun(report: RunReport, options?: CallOptions): Promise<number> {
    const { number, registrationNumber, state, sizes, durationMs, ...rest } = report
    const message = {
      ...rest,
      registrationNumber: BigInt(registrationNumber),
      runNumber: BigInt(number),
      state: (runStates.indexOf(state) + 1) as WireState,
      sizes: toWireSizes(sizes),
      durationMs: BigInt(Math.round(durationMs)),
    }
    return toNumber((await this.#calls.call(AgentsService.reportRun, message, options)).serial)
  }
}
