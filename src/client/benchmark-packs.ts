import { isTwofoldError, TwofoldError } from '../core/errors.ts'
import { randomHexId } from '../core/ids.ts'
import type { ChunkId, NodeId } from '../core/ids.ts'
import { chunkBytesAverage } from '../core/limits.ts'
import type { Allocation, Session } from '../core/messages.ts'
import type { NodeRef } from '../core/model.ts'
import type { Random } from '../core/random.ts'
import type { Codec } from '../format/codec.ts'
import { blake3 } from '../format/hash.ts'
import { PackWriter } from '../format/pack-writer.ts'
import { recordId, sealRecord } from '../format/record.ts'
import type { SealedRecord } from '../format/record.ts'
import type { ManagerApi } from './manager-api.ts'
import { slicesOf } from './pack-uploader.ts'
import type { StorageApi } from './storage-api.ts'

export interface TrialPacksDeps {
  readonly manager: ManagerApi
  readonly storage: StorageApi
  readonly random: Random
  readonly codec: Codec
  readonly session: Session
  readonly signal: AbortSignal
  /** What the history and logs say; that it was a benchmark unless given. */
  readonly reason?: string
}

/** Of which node a pack is to be a replica. */
export interface ReplicaWish {
  readonly lengthBytes: number
  /** All other nodes. */
  readonly others: readonly NodeId[]
  /** One of them, to be its primary. */
  readonly peer: NodeId
}

const nameBytes = 16
const idBytes = 32

/**
 * Packs that go the whole way of a backup's, except that they are never part of the catalogue: each has a tree that
 * refers to a chunk which does not exist. Such a pack is streamed, checked, replicated and fsynced like any other; then
 * the manager refuses to commit it, the primary removes it, and the replicas do when it is given up.
 */
export class TrialPacks {
  readonly #deps: TrialPacksDeps
  /** Random, so that nothing is compressed; its beginning changes from chunk to chunk. */
  readonly #content: Uint8Array

  constructor(deps: TrialPacksDeps) {
    this.#deps = deps
    this.#content = deps.random.bytes(chunkBytesAverage)
  }

  /** Hashes and packs up to `contentBytesMax` bytes, as many as there is room for. @returns the pack, in the slab. */
  async fill(slab: Uint8Array, contentBytesMax: number): Promise<Uint8Array> {
    const { session } = this.#deps
    const writer = new PackWriter(slab, session.vaultId)
    writer.append(await this.#dangling())
    let left = contentBytesMax
    while (left > 0) {
      const record = await this.#chunk(Math.max(nameBytes, Math.min(left, chunkBytesAverage)))
      if (!writer.append(record)) break
      left -= record.plainLength
    }
    return writer.finish()
  }

  async #dangling(): Promise<SealedRecord> {
    const { random, codec, session } = this.#deps
    const refs = random.bytes(idBytes)
    const plain = random.bytes(nameBytes)
    return sealRecord({ vaultId: session.vaultId, kind: 'tree', chunkId: recordId(refs, plain), plain, refs }, codec)
  }

  async #chunk(lengthBytes: number): Promise<SealedRecord> {
    const { random, codec, session } = this.#deps
    const plain = this.#content.subarray(0, lengthBytes)
    plain.set(random.bytes(nameBytes))
    return sealRecord({ vaultId: session.vaultId, kind: 'data', chunkId: blake3(plain) as ChunkId, plain }, codec)
  }

  /** @param exclude nodes that are not wanted while there are enough others */
  allocate(lengthBytes: number, exclude: readonly NodeId[], primaryNodeId?: NodeId): Promise<Allocation> {
    const { manager, session, random, signal } = this.#deps
    const requestId = randomHexId<string>(random)
    return manager.allocatePack({ session, requestId, lengthBytes, excludeNodeIds: exclude, primaryNodeId }, { signal })
  }

  /** A pack of which the node is a replica, and keeps it therefore until it is given up. */
  async allocateReplica(node: NodeRef, { lengthBytes, others, peer }: ReplicaWish): Promise<Allocation> {
    const exclude = others.filter((nodeId) => nodeId !== peer)
    const allocation = await this.allocate(lengthBytes, exclude, peer)
    if (allocation.replicas.some(({ nodeId }) => nodeId === node.nodeId)) return allocation
    await this.giveUp(allocation)
    throw notPlaced(node)
  }

  /** Resolves when the pack is fsynced on every node of the allocation. @throws as an upload does */
  async makeDurable(allocation: Allocation, pack: Uint8Array): Promise<void> {
    // The manager is asked to commit only what is durable, and it has no other reason for this answer.
    await this.#upload(allocation, { pack, lengthBytes: pack.length }, 'failed-precondition')
  }

  /** Streams all of the pack but its end, so that no node keeps it. Resolves when the primary has passed all on. */
  async streamOnly(allocation: Allocation, pack: Uint8Array): Promise<number> {
    const most = pack.subarray(0, pack.length - 1)
    await this.#upload(allocation, { pack: most, lengthBytes: pack.length }, 'integrity')
    return most.length
  }

  async #upload(
    { packId, primary, ticket, replicas }: Allocation,
    { pack, lengthBytes }: { pack: Uint8Array; lengthBytes: number },
    refusal: 'failed-precondition' | 'integrity',
  ): Promise<void> {
    const { storage, signal } = this.#deps
    try {
      await storage.upload(primary, { ticket, replicas, lengthBytes }, slicesOf(pack), { signal })
    } catch (error) {
      signal.throwIfAborted()
      if (!isTwofoldError(error, refusal)) throw error
      return
    }
    throw new TwofoldError('internal', `pack ${packId} of the benchmark was committed; nothing refers to it`)
  }

  /** On how many nodes a pack was durable: the primary and the replicas that still have it. */
  async copies({ packId, replicas }: Allocation): Promise<number> {
    const { storage, signal } = this.#deps
    const stats = await Promise.all(replicas.map((replica) => storage.stat(replica, packId, { signal })))
    return 1 + stats.filter(({ present }) => present).length
  }

  /** The manager has every node of it remove what it holds. */
  async giveUp({ packId }: Allocation): Promise<void> {
    const { manager, session, signal, reason = trialReason } = this.#deps
    await manager.abandonPack({ session, packId, reason }, { signal })
  }
}

export function notPlaced({ name }: NodeRef): TwofoldError {
  return new TwofoldError('failed-precondition', `the manager places nothing on ${name} now`)
}

/** What the history and logs say. */
export const trialReason = 'a benchmark, of which nothing is kept'
