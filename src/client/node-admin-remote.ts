import { commitDeadlineMs, interactiveDeadlineMs } from '../core/limits.ts'
import type { CallOptions } from '../core/model.ts'
import type {
  NodeOutlook,
  NodeRequest,
  RebalanceOutlook,
  RebalanceRequest,
  ShutdownRequest,
  ShutdownState,
  Task,
} from '../core/node-admin.ts'
import { AdminClient, AdminService } from '../gen/twofold/v1/admin.ts'
import type { ChannelPool } from '../rpc/channel.ts'
import { ManagerCalls } from './manager-calls-remote.ts'
import type { NodeAdminApi } from './node-admin-api.ts'
import * as convert from './node-admin-convert.ts'

/** The manager's calls about nodes at the other end of gRPC. */
export class NodeAdminRemote implements NodeAdminApi {
  readonly #calls: ManagerCalls

  /** @param addresses `host:port` each, at least one. */
  constructor(channels: ChannelPool, addresses: readonly string[]) {
    this.#calls = new ManagerCalls(channels, addresses, AdminClient)
  }

  async drainNode(request: NodeRequest, options?: CallOptions): Promise<NodeOutlook> {
    return convert.toOutlook((await this.#calls.call(AdminService.drainNode, request, patient(options))).outlook)
  }

  async resumeNode(request: NodeRequest, options?: CallOptions): Promise<NodeOutlook> {
    return convert.toOutlook((await this.#calls.call(AdminService.resumeNode, request, patient(options))).outlook)
  }

  async removeNode(request: NodeRequest, options?: CallOptions): Promise<NodeOutlook> {
    return convert.toOutlook((await this.#calls.call(AdminService.removeNode, request, patient(options))).outlook)
  }

  async rebalance(request: RebalanceRequest, options?: CallOptions): Promise<RebalanceOutlook> {
    return convert.toRebalance(await this.#calls.call(AdminService.rebalance, request, options))
  }

  async shutDown(request: ShutdownRequest, options?: CallOptions): Promise<ShutdownState> {
    const message = { ...request, requestId: request.requestId ?? '' }
    return convert.toShutdown((await this.#calls.call(AdminService.shutdown, message, options)).state)
  }

  async getShutdown(options?: CallOptions): Promise<ShutdownState> {
    const quick = { ...options, deadlineMs: interactiveDeadlineMs }
    return convert.toShutdown((await this.#calls.call(AdminService.getShutdown, {}, quick)).state)
  }

  async listTasks(options?: CallOptions): Promise<readonly Task[]> {
    const quick = { ...options, deadlineMs: interactiveDeadlineMs }
    return (await this.#calls.call(AdminService.listTasks, {}, quick)).tasks.map(convert.toTask)
  }
}

/** They go through all copies of a node, and through all snapshots. */
function patient(options: CallOptions | undefined): CallOptions & { deadlineMs: number } {
  return { ...options, deadlineMs: commitDeadlineMs }
}
