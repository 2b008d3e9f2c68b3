import { TwofoldError } from '../../src/core/errors.ts'
import type { PackId } from '../../src/core/ids.ts'
import type {
  PackStat,
  PackVerdict,
  ReadRequest,
  ReadSlice,
  UploadHeader,
  UploadResult,
} from '../../src/core/messages.ts'
import { sliceBytes, sliceBytesMax } from '../../src/core/limits.ts'
import type { CallOptions, NodeRef } from '../../src/core/model.ts'
import { PackVerifier } from '../../src/format/pack-verifier.ts'
import type { StorageApi } from '../../src/client/storage-api.ts'
import type { MemoryCluster } from './memory-cluster.ts'
import type { MemoryManager } from './memory-manager.ts'

/** The nodes of a `MemoryCluster`. */
export class MemoryStorage implements StorageApi {
  readonly #cluster: MemoryCluster
  readonly #manager: MemoryManager

  constructor(cluster: MemoryCluster, manager: MemoryManager) {
    this.#cluster = cluster
    this.#manager = manager
  }

  async upload(
    node: NodeRef,
    header: UploadHeader,
    slices: AsyncIterable<Uint8Array>,
    options: CallOptions = {},
  ): Promise<UploadResult> {
    const open = this.#manager.openPack(header.ticket)
    this.#cluster.trace.push(`upload ${node.name} ${header.lengthBytes}`)
    this.#checkUp(node)
    const verifier = new PackVerifier({ lengthBytes: header.lengthBytes, vaultId: open.vault.vaultId })
    const bytes = new Uint8Array(header.lengthBytes)
    let length = 0
    let index = 0
    for await (const slice of slices) {
      options.signal?.throwIfAborted()
      if (slice.length > sliceBytesMax) throw new TwofoldError('invalid-argument', 'the slice is too long')
      await this.#cluster.faults.onSlice?.(node, open.packId, index++)
      this.#checkUp(node)
      verifier.push(slice)
      bytes.set(slice, length)
      length += slice.length
    }
    const { entries } = verifier.finish()
    const holders = [node, ...header.replicas].filter((holder) => this.#cluster.isUp(holder.nodeId))
    this.#manager.commitPack(open, { bytes, entries, holders })
    await this.#cluster.faults.onUploaded?.(node, open.packId)
    const receipts = holders.map((holder) => ({ claims: Buffer.from(holder.nodeId), signature: new Uint8Array(64) }))
    return { nodes: holders, receipts }
  }

  async *read(node: NodeRef, request: ReadRequest, options: CallOptions = {}): AsyncGenerator<ReadSlice> {
    this.#cluster.trace.push(`read ${node.name}`)
    const bytes = this.#copy(node, request.packId)
    const ranges = request.ranges.length === 0 ? [{ offset: 0, length: bytes.length }] : request.ranges
    let index = 0
    for (const range of ranges) {
      await this.#cluster.faults.onRead?.(node, request.packId, index++)
      if (range.offset + range.length > bytes.length) throw new TwofoldError('out-of-range', 'beyond the pack')
      for (let offset = range.offset; offset < range.offset + range.length; offset += sliceBytes) {
        options.signal?.throwIfAborted()
        this.#checkUp(node)
        const end = Math.min(offset + sliceBytes, range.offset + range.length)
        yield { offset, data: bytes.slice(offset, end) }
      }
    }
  }

  async stat(node: NodeRef, packId: PackId): Promise<PackStat> {
    this.#checkUp(node)
    const bytes = this.#cluster.packs.get(packId)?.copies.get(node.nodeId)
    return {
      present: bytes !== undefined,
      lengthBytes: bytes?.length ?? 0,
      putSequence: 1,
      incarnation: node.incarnation,
      provenAtMs: 0,
    }
  }

  async verify(node: NodeRef, packId: PackId): Promise<PackVerdict> {
    const bytes = this.#copy(node, packId)
    const verdict = { lengthBytes: bytes.length, provenAtMs: this.#cluster.clock.nowMs() }
    try {
      const verifier = new PackVerifier({ lengthBytes: bytes.length })
      verifier.push(bytes)
      return { good: true, problem: '', records: verifier.finish().entries.length, ...verdict }
    } catch (error) {
      return { good: false, problem: (error as Error).message, records: 0, ...verdict }
    }
  }

  #checkUp(node: NodeRef): void {
    if (!this.#cluster.isUp(node.nodeId)) throw new TwofoldError('unavailable', `node ${node.name} does not answer`)
  }

  #copy(node: NodeRef, packId: PackId): Uint8Array {
    this.#checkUp(node)
    const bytes = this.#cluster.packs.get(packId)?.copies.get(node.nodeId)
    if (bytes === undefined) throw new TwofoldError('not-found', `node ${node.name} has no pack ${packId}`)
    return bytes
  }
}
