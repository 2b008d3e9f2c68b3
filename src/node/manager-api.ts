import type {
  CommitPackRequest,
  Heartbeat,
  HeartbeatReply,
  InventoryReport,
  RecordsReport,
  RegisterRequest,
  Registration,
  Replacement,
  ReplaceReplicaRequest,
} from '../core/messages.ts'
import type { CallOptions } from '../core/model.ts'

/**
 * What a node asks of the manager. Meaning, idempotency and errors of each call: `manager.proto`. Any call may also
 * end in `unavailable` or `deadline-exceeded`; its outcome is then unknown.
 */
export interface ManagerApi {
  register(request: RegisterRequest, options?: CallOptions): Promise<Registration>
  heartbeat(request: Heartbeat, options?: CallOptions): Promise<HeartbeatReply>
  /** All packs of this node. */
  reportInventory(report: InventoryReport, options?: CallOptions): Promise<void>
  /** Everything that this node knows, for a manager that lost its catalogue. */
  reportRecords(report: RecordsReport, options?: CallOptions): Promise<void>
  /** A copy of the manager's catalogue. */
  readCatalogueBackup(name: string, options?: CallOptions): AsyncIterable<Uint8Array>
  commitPack(request: CommitPackRequest, options?: CallOptions): Promise<void>
  replaceReplica(request: ReplaceReplicaRequest, options?: CallOptions): Promise<Replacement>
}
