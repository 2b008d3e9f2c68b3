import type { ReplicateHeader } from '../core/storage-messages.ts'
import type { CallOptions, NodeRef, Receipt } from '../core/model.ts'

/** What a primary asks of its replicas. */
export interface PeerApi {
  /**
   * Streams a pack to `peer` and resolves with its receipt once the pack is fsynced there. The first slice is taken
   * from `slices` when the peer has room for the pack, and each only as fast as the peer accepts them; a slice's memory
   * may be reused when the next one is asked for. Errors: those of `Replication.Replicate`, among them `overloaded`
   * when the peer has no room, or `unavailable` when it cannot be reached or goes away.
   */
  replicate(
    peer: NodeRef,
    header: ReplicateHeader,
    slices: AsyncIterable<Uint8Array>,
    options?: CallOptions,
  ): Promise<Receipt>
}
