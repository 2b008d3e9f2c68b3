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

/**
 * What people ask of the manager about nodes and work in the background. Meaning, idempotency and errors of each call:
 * `admin.proto`. Any call may also end in `unavailable` or `deadline-exceeded`; it may be repeated.
 */
export interface NodeAdminApi {
  drainNode(request: NodeRequest, options?: CallOptions): Promise<NodeOutlook>
  resumeNode(request: NodeRequest, options?: CallOptions): Promise<NodeOutlook>
  removeNode(request: NodeRequest, options?: CallOptions): Promise<NodeOutlook>
  rebalance(request: RebalanceRequest, options?: CallOptions): Promise<RebalanceOutlook>
  shutDown(request: ShutdownRequest, options?: CallOptions): Promise<ShutdownState>
  getShutdown(options?: CallOptions): Promise<ShutdownState>
  listTasks(options?: CallOptions): Promise<readonly Task[]>
}
