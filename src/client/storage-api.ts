import type { PackId } from '../core/ids.ts'
import type {
  PackStat,
  PackVerdict,
  ReadRequest,
  ReadSlice,
  UploadHeader,
  UploadResult,
} from '../core/storage-messages.ts'
import type { CallOptions, NodeRef, WitnessStatement } from '../core/model.ts'

/** What a client asks of a storage node. Meaning, idempotency and errors of each call: `storage.proto`. */
export interface StorageApi {
  /**
   * Streams a pack to `node` and resolves when it is durable on `min copies` nodes and committed. The first slice is
   * taken when the node and its replicas have room for the pack: who is refused before has sent nothing. Slices are
   * taken only as fast as the node accepts them; a slice's memory may be reused when the next one is asked for.
   */
  upload(
    node: NodeRef,
    header: UploadHeader,
    slices: AsyncIterable<Uint8Array>,
    options?: CallOptions,
  ): Promise<UploadResult>
  /**
   * Streams the ranges in the order asked for. Ending the iteration early cancels the call. The memory of a slice is
   * given back or used again when the next one is asked for.
   */
  read(node: NodeRef, request: ReadRequest, options?: CallOptions): AsyncIterable<ReadSlice>
  stat(node: NodeRef, packId: PackId, options?: CallOptions): Promise<PackStat>
  verify(node: NodeRef, packId: PackId, options?: CallOptions): Promise<PackVerdict>
  /** Resolves when the node has recorded it durably. */
  witness(node: NodeRef, statement: WitnessStatement, options?: CallOptions): Promise<void>
}
