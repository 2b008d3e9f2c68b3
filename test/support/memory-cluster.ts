/**
 * A tiny cluster in memory behind the client's two ports, for tests of the client engine: it checks what real nodes and
 * the real manager check (every record hash, the order of commits, completeness of snapshots), and it can be made to
 * fail. `faults` are called at every step and may throw; `trace` lists the calls in order.
 */
import type { Clock } from '../../src/core/clock.ts'
import type { ChunkId, ChunkKey, NodeId, PackId, SessionId } from '../../src/core/ids.ts'
import { chunkIdBytes, chunkKey, parseChunkId, randomHexId } from '../../src/core/ids.ts'
import { TwofoldError } from '../../src/core/errors.ts'
import type { NodeRef, PackEntry, Snapshot } from '../../src/core/model.ts'
import type { Random } from '../../src/core/random.ts'
import type { ManagerApi } from '../../src/client/manager-api.ts'
import type { StorageApi } from '../../src/client/storage-api.ts'
import { MemoryManager } from './memory-manager.ts'
import { MemoryStorage } from './memory-storage.ts'

export interface MemoryPack {
  readonly packId: PackId
  readonly vault: string
  readonly sessionId: SessionId
  readonly lengthBytes: number
  readonly entries: readonly PackEntry[]
  /** Every node's own copy of the bytes. */
  readonly copies: Map<NodeId, Uint8Array>
}

export interface MemoryChunk {
  readonly pack: MemoryPack
  readonly entry: PackEntry
}

export interface MemoryVault {
  readonly name: string
  readonly vaultId: Uint8Array
  readonly chunks: Map<ChunkKey, MemoryChunk>
}

export interface MemoryFaults {
  /** Before a manager call takes effect; throwing means that it had none. */
  before?: (call: string, request: unknown) => void | Promise<void>
  /** After a manager call took effect; throwing means that its answer was lost. */
  after?: (call: string, answer: unknown) => void | Promise<void>
  /** For each slice of an upload that arrives. */
  onSlice?: (node: NodeRef, packId: PackId, index: number) => void | Promise<void>
  /** After the pack was committed, before the client hears of it. */
  onUploaded?: (node: NodeRef, packId: PackId) => void | Promise<void>
  /** For each range of a read before it is sent. */
  onRead?: (node: NodeRef, packId: PackId, index: number) => void | Promise<void>
}

export interface MemoryClusterOptions {
  readonly clock: Clock
  readonly random: Random
  readonly nodes?: number
  readonly copies?: number
  readonly minCopies?: number
  readonly vaults?: readonly string[]
  readonly leaseMs?: number
}

export class MemoryCluster {
  readonly clock: Clock
  readonly random: Random
  readonly copies: number
  readonly minCopies: number
  readonly leaseMs: number
  readonly nodes: NodeRef[] = []
  readonly vaults = new Map<string, MemoryVault>()
  readonly packs = new Map<PackId, MemoryPack>()
  readonly snapshots: Snapshot[] = []
  readonly trace: string[] = []
  readonly manager: ManagerApi
  readonly storage: StorageApi
  readonly down = new Set<NodeId>()
  faults: MemoryFaults = {}

  constructor(options: MemoryClusterOptions) {
    this.clock = options.clock
    this.random = options.random
    this.copies = options.copies ?? 2
    this.minCopies = options.minCopies ?? 2
    this.leaseMs = options.leaseMs ?? 60_000
    for (let number = 1; number <= (options.nodes ?? 3); number++) this.nodes.push(this.#makeNode(number))
    for (const name of options.vaults ?? ['default']) {
      this.vaults.set(name, { name, vaultId: this.random.bytes(16), chunks: new Map() })
    }
    const manager = new MemoryManager(this)
    this.manager = manager
    this.storage = new MemoryStorage(this, manager)
  }

  #makeNode(number: number): NodeRef {
    return {
      nodeId: randomHexId(this.random),
      incarnation: randomHexId(this.random),
      name: `n${number}`,
      address: `127.0.0.1:${7400 + number}`,
      failureDomain: `d${number}`,
    }
  }

  node(name: string): NodeRef {
    const found = this.nodes.find((node) => node.name === name)
    if (found === undefined) throw new Error(`no node ${name}`)
    return found
  }

  /** From now on the node answers nobody and its copies do not count. */
  kill(name: string): void {
    this.down.add(this.node(name).nodeId)
  }

  revive(name: string): void {
    this.down.delete(this.node(name).nodeId)
  }

  isUp(nodeId: NodeId): boolean {
    return !this.down.has(nodeId)
  }

  vault(name: string): MemoryVault {
    const found = this.vaults.get(name === '' ? 'default' : name)
    if (found === undefined) throw new TwofoldError('not-found', `there is no vault "${name}"`)
    return found
  }

  holders(pack: MemoryPack): NodeRef[] {
    return this.nodes.filter((node) => pack.copies.has(node.nodeId) && this.isUp(node.nodeId))
  }

  present(vault: MemoryVault, key: ChunkKey): boolean {
    const chunk = vault.chunks.get(key)
    return chunk !== undefined && this.holders(chunk.pack).length >= this.minCopies
  }

  /** Removes a node's copy of a pack; all its copies when no node is named. */
  loseCopies(packId: PackId, name?: string): void {
    const pack = this.packs.get(packId)
    if (name === undefined) pack?.copies.clear()
    else pack?.copies.delete(this.node(name).nodeId)
  }

  /** Flips one bit of one node's copy. */
  corrupt(packId: PackId, name: string, offset: number): void {
    const bytes = this.packs.get(packId)?.copies.get(this.node(name).nodeId)
    if (bytes?.[offset] === undefined) throw new Error('there is no such byte')
    bytes[offset] = bytes[offset] ^ 1
  }

  /** The records of all packs, oldest pack first. */
  records(kind?: PackEntry['kind']): PackEntry[] {
    const all = [...this.packs.values()].flatMap((pack) => pack.entries)
    return kind === undefined ? all : all.filter((entry) => entry.kind === kind)
  }

  count(call: string): number {
    return this.trace.filter((line) => line === call || line.startsWith(`${call} `)).length
  }
}

/** The references of a tree or snapshot record, one by one. */
export function refsOf(entry: PackEntry): ChunkId[] {
  const ids: ChunkId[] = []
  for (let offset = 0; offset < entry.refs.length; offset += chunkIdBytes) {
    ids.push(parseChunkId(entry.refs.subarray(offset, offset + chunkIdBytes)))
  }
  return ids
}

/** The reference of `refs` that is neither in the vault nor in `alongside`, if any. */
export function missingRef(
  vault: MemoryVault,
  entries: readonly PackEntry[],
  cluster: MemoryCluster,
): ChunkId | undefined {
  const alongside = new Set(entries.map((entry) => chunkKey(entry.chunkId)))
  for (const entry of entries) {
    for (const ref of refsOf(entry)) {
      if (!alongside.has(chunkKey(ref)) && !cluster.present(vault, chunkKey(ref))) return ref
    }
  }
  return undefined
}
