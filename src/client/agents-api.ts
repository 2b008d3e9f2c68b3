import type { AgentOrders, AgentPoll, AgentRegistration, RegisterAgentRequest, RunReport } from '../core/agents.ts'
import type { CallOptions } from '../core/model.ts'

/**
 * What an agent asks of the manager. Meaning, idempotency and errors of each call: `agents.proto`. Any call may also
 * end in `unavailable` or `deadline-exceeded`; it may be repeated.
 */
export interface AgentsApi {
  registerAgent(request: RegisterAgentRequest, options?: CallOptions): Promise<AgentRegistration>
  poll(request: AgentPoll, options?: CallOptions): Promise<AgentOrders>
  /** Resolves with the serial number of the version that is now the newest. */
  reportRun(report: RunReport, options?: CallOptions): Promise<number>
}
