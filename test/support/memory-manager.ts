import { isTwofoldError, TwofoldError } from '../../src/core/errors.ts'
import type { ChunkId, PackId, SessionId, SnapshotId } from '../../src/core/ids.ts'
import { chunkKey, randomHexId, toHex } from '../../src/core/ids.ts'
import { lookupIdsMax, pageSizeDefault } from '../../src/core/limits.ts'
import type {
  AbandonPackRequest,
  AllocatePackRequest,
  Allocation,
  BeginBackupRequest,
  ChunkLocation,
  CommitSnapshotRequest,
  ListFileVersionsRequest,
  PackFate,
  Page,
  PageRequest,
  Session,
  SessionRef,
  SnapshotFilter,
} from '../../src/core/messages.ts'
import type {
  ClusterStatus,
  Durability,
  FileRecord,
  NodeInfo,
  NodeRef,
  Operation,
  PackEntry,
  Snapshot,
  SnapshotPack,
  Ticket,
} from '../../src/core/model.ts'
import { decodeManifest, snapshotIdOf } from '../../src/format/manifest.ts'
import type { ManagerApi } from '../../src/client/manager-api.ts'
import type { MemoryCluster, MemoryPack, MemoryVault } from './memory-cluster.ts'
import { missingRef, refsOf } from './memory-cluster.ts'

interface OpenSession extends Session {
  readonly request: BeginBackupRequest
  expiresAtMs: number
  ended: boolean
  snapshot: Snapshot | undefined
}

export interface OpenPack {
  readonly packId: PackId
  readonly vault: MemoryVault
  readonly session: OpenSession
  readonly allocation: Allocation
  abandoned: boolean
}

/** The manager of a `MemoryCluster`: the client's side of it, and what nodes need to commit. */
export class MemoryManager implements ManagerApi {
  readonly #cluster: MemoryCluster
  readonly #sessions = new Map<SessionId, OpenSession>()
  readonly #begun = new Map<string, OpenSession>()
  readonly #allocated = new Map<string, OpenPack>()
  readonly #openPacks = new Map<PackId, OpenPack>()
  readonly #files: FileRecord[] = []
  #rotation = 0

  constructor(cluster: MemoryCluster) {
    this.#cluster = cluster
  }

  async #call<T>(name: string, request: unknown, work: () => T): Promise<T> {
    this.#cluster.trace.push(name)
    await this.#cluster.faults.before?.(name, request)
    const answer = work()
    await this.#cluster.faults.after?.(name, answer)
    return answer
  }

  #session(ref: SessionRef): OpenSession {
    const session = this.#sessions.get(ref.sessionId)
    if (session === undefined || session.ended || session.expiresAtMs < this.#cluster.clock.monotonicMs()) {
      throw new TwofoldError('session-ended', 'the session is over')
    }
    if (session.sessionToken !== ref.sessionToken) throw new TwofoldError('permission-denied', 'not your session')
    session.expiresAtMs = this.#cluster.clock.monotonicMs() + session.leaseMs
    return session
  }

  beginBackup(request: BeginBackupRequest): Promise<Session> {
    return this.#call('beginBackup', request, () => {
      const known = this.#begun.get(`${request.clientId}/${request.requestId}`)
      if (known !== undefined) return known
      const vault = this.#cluster.vault(request.vault)
      const session: OpenSession = {
        sessionId: randomHexId(this.#cluster.random),
        sessionToken: randomHexId(this.#cluster.random),
        leaseMs: this.#cluster.leaseMs,
        parent: request.noParent ? undefined : this.#parent(request),
        vaultId: vault.vaultId,
        vaultEmpty: vault.chunks.size === 0,
        vault: vault.name,
        request,
        expiresAtMs: this.#cluster.clock.monotonicMs() + this.#cluster.leaseMs,
        ended: false,
        snapshot: undefined,
      }
      this.#begun.set(`${request.clientId}/${request.requestId}`, session)
      this.#sessions.set(session.sessionId, session)
      return session
    })
  }

  #parent(request: BeginBackupRequest): Snapshot | undefined {
    const ofVault = this.#backups(request.vault)
    if (request.parent !== '') return this.#match(ofVault, request.parent)
    const wanted = request.paths.map(toHex).sort().join()
    return ofVault.findLast((snapshot) => {
      const manifest = decodeManifest(snapshot.manifest)
      return manifest.host === request.host && manifest.paths.map(toHex).sort().join() === wanted
    })
  }

  #backups(vault: string): Snapshot[] {
    const name = this.#cluster.vault(vault).name
    return this.#cluster.snapshots.filter((snapshot) => {
      const manifest = decodeManifest(snapshot.manifest)
      return manifest.vault === name && manifest.fileName === ''
    })
  }

  #match(snapshots: Snapshot[], reference: string): Snapshot {
    const found =
      reference === 'latest' ? snapshots.slice(-1) : snapshots.filter((s) => s.snapshotId.startsWith(reference))
    if (found.length > 1) throw new TwofoldError('ambiguous', `more than one snapshot begins with ${reference}`)
    if (found[0] === undefined) throw new TwofoldError('not-found', `there is no snapshot ${reference}`)
    return found[0]
  }

  renewSession(session: SessionRef): Promise<number> {
    return this.#call('renewSession', session, () => this.#session(session).leaseMs)
  }

  endSession(session: SessionRef, reason: string): Promise<void> {
    return this.#call('endSession', { session, reason }, () => {
      const known = this.#sessions.get(session.sessionId)
      if (known !== undefined) known.ended = true
    })
  }

  lookupChunks(session: SessionRef, ids: readonly ChunkId[]): Promise<readonly boolean[]> {
    return this.#call('lookupChunks', ids, () => {
      if (ids.length > lookupIdsMax) throw new TwofoldError('invalid-argument', 'too many ids')
      const vault = this.#cluster.vault(this.#session(session).vault)
      return ids.map((id) => this.#cluster.present(vault, chunkKey(id)))
    })
  }

  allocatePack(request: AllocatePackRequest): Promise<Allocation> {
    return this.#call('allocatePack', request, () => {
      const session = this.#session(request.session)
      const known = this.#allocated.get(`${session.sessionId}/${request.requestId}`)
      if (known !== undefined) return known.allocation
      const up = this.#cluster.nodes.filter((node) => this.#cluster.isUp(node.nodeId))
      const wanted = up.filter((node) => !request.excludeNodeIds.includes(node.nodeId))
      const candidates = wanted.length >= this.#cluster.minCopies ? wanted : up
      if (candidates.length < this.#cluster.minCopies) {
        throw new TwofoldError('not-enough-nodes', `only ${candidates.length} storage nodes can take data`)
      }
      const first = this.#rotation++ % candidates.length
      const chosen = [...candidates.slice(first), ...candidates.slice(0, first)].slice(0, this.#cluster.copies)
      return this.#open(session, request, chosen)
    })
  }

  #open(session: OpenSession, request: AllocatePackRequest, chosen: NodeRef[]): Allocation {
    const packId = randomHexId<PackId>(this.#cluster.random)
    const [primary, ...replicas] = chosen
    if (primary === undefined) throw new Error('no node was chosen')
    const ticket = { claims: Buffer.from(packId), signature: new Uint8Array(64) }
    const allocation: Allocation = { packId, ticket, primary, replicas }
    const vault = this.#cluster.vault(session.vault)
    const open: OpenPack = { packId, vault, session, allocation, abandoned: false }
    this.#openPacks.set(packId, open)
    this.#allocated.set(`${session.sessionId}/${request.requestId}`, open)
    return allocation
  }

  abandonPack(request: AbandonPackRequest): Promise<PackFate> {
    return this.#call('abandonPack', request, () => {
      const pack = this.#cluster.packs.get(request.packId)
      if (pack !== undefined) return { committed: true, nodes: this.#cluster.holders(pack) }
      const open = this.#openPacks.get(request.packId)
      if (open !== undefined) open.abandoned = true
      return { committed: false, nodes: [] }
    })
  }

  /** @throws `permission-denied` for a ticket of no pack. */
  openPack(ticket: Ticket): OpenPack {
    const open = this.#openPacks.get(Buffer.from(ticket.claims).toString() as PackId)
    if (open === undefined) throw new TwofoldError('permission-denied', 'the ticket is forged')
    return open
  }

  commitPack(open: OpenPack, pack: { bytes: Uint8Array; entries: readonly PackEntry[]; holders: NodeRef[] }): void {
    if (this.#cluster.packs.has(open.packId)) return
    if (open.abandoned) throw new TwofoldError('failed-precondition', 'the pack was abandoned')
    this.#session(open.session)
    if (pack.holders.length < this.#cluster.minCopies) {
      throw new TwofoldError('not-enough-nodes', `only ${pack.holders.length} copies became durable`)
    }
    const missing = missingRef(open.vault, pack.entries, this.#cluster)
    if (missing !== undefined) {
      throw new TwofoldError('missing-chunks', `a tree refers to ${toHex(missing)}, which is not committed`)
    }
    const stored: MemoryPack = {
      packId: open.packId,
      vault: open.vault.name,
      sessionId: open.session.sessionId,
      lengthBytes: pack.bytes.length,
      entries: pack.entries,
      copies: new Map(pack.holders.map((node) => [node.nodeId, pack.bytes.slice()])),
    }
    this.#cluster.packs.set(open.packId, stored)
    this.#cluster.trace.push(`commitPack ${pack.entries.map((entry) => entry.kind[0]).join('')}`)
    for (const entry of pack.entries) {
      const key = chunkKey(entry.chunkId)
      if (!this.#cluster.present(open.vault, key)) open.vault.chunks.set(key, { pack: stored, entry })
    }
  }

  commitSnapshot(request: CommitSnapshotRequest): Promise<Snapshot> {
    return this.#call('commitSnapshot', request, () => {
      const done = this.#sessions.get(request.session.sessionId)?.snapshot
      if (done !== undefined && done.snapshotId === request.snapshotId) return done
      const session = this.#session(request.session)
      if (snapshotIdOf(request.manifest) !== request.snapshotId) {
        throw new TwofoldError('invalid-argument', 'the snapshot id is not the hash of its manifest')
      }
      const vault = this.#cluster.vault(session.vault)
      const packs = this.#reachable(vault, Buffer.from(request.snapshotId, 'hex') as unknown as ChunkId)
      session.ended = true
      session.snapshot = this.#record(session, request, this.#durability(packs))
      return session.snapshot
    })
  }

  #record(session: OpenSession, request: CommitSnapshotRequest, durability: Durability): Snapshot {
    const fileName = session.request.fileName
    const fileVersion = fileName === '' ? 0 : this.#files.filter((file) => file.name === fileName).length + 1
    const committedAtMs = this.#cluster.clock.nowMs()
    const snapshot: Snapshot = {
      snapshotId: request.snapshotId,
      manifest: request.manifest,
      commitSequence: this.#cluster.snapshots.length + 1,
      committedAtMs,
      durability,
      fileVersion,
    }
    this.#cluster.snapshots.push(snapshot)
    if (fileName !== '') {
      this.#files.push({ name: fileName, version: fileVersion, deleted: false, createdAtMs: committedAtMs, snapshot })
    }
    return snapshot
  }

  /** Every pack that holds something reachable from `root`. @throws `missing-chunks` */
  #reachable(vault: MemoryVault, root: ChunkId): Set<MemoryPack> {
    const packs = new Set<MemoryPack>()
    const seen = new Set([chunkKey(root)])
    const waiting = [root]
    for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
      const chunk = vault.chunks.get(chunkKey(id))
      if (chunk === undefined || !this.#cluster.present(vault, chunkKey(id))) {
        throw new TwofoldError('missing-chunks', `chunk ${toHex(id)} is not there with enough copies`)
      }
      packs.add(chunk.pack)
      for (const ref of refsOf(chunk.entry)) {
        if (seen.has(chunkKey(ref))) continue
        seen.add(chunkKey(ref))
        waiting.push(ref)
      }
    }
    return packs
  }

  #durability(packs: Set<MemoryPack>): Durability {
    const counts = [...packs].map((pack) => this.#cluster.holders(pack).length)
    const fewest = counts.length === 0 ? 0 : Math.min(...counts)
    const holding = this.#cluster.nodes.filter((node) => [...packs].some((pack) => pack.copies.has(node.nodeId)))
    return {
      copies: fewest,
      copiesWanted: this.#cluster.copies,
      failureDomains: fewest,
      packs: packs.size,
      packsDegraded: counts.filter((count) => count < this.#cluster.copies).length,
      packsUnavailable: counts.filter((count) => count === 0).length,
      provenAtMs: this.#cluster.clock.nowMs(),
      nodes: holding,
    }
  }

  #current(snapshot: Snapshot): Snapshot {
    const vault = this.#cluster.vault(decodeManifest(snapshot.manifest).vault)
    try {
      const packs = this.#reachable(vault, Buffer.from(snapshot.snapshotId, 'hex') as unknown as ChunkId)
      return { ...snapshot, durability: this.#durability(packs) }
    } catch (error) {
      if (!isTwofoldError(error, 'missing-chunks')) throw error
      return { ...snapshot, durability: { ...snapshot.durability, copies: 0, packsUnavailable: 1 } }
    }
  }

  locateChunks(vaultName: string, ids: readonly ChunkId[]): Promise<readonly (ChunkLocation | undefined)[]> {
    return this.#call('locateChunks', ids, () => {
      if (ids.length > lookupIdsMax) throw new TwofoldError('invalid-argument', 'too many ids')
      const vault = this.#cluster.vault(vaultName)
      return ids.map((id) => {
        const chunk = vault.chunks.get(chunkKey(id))
        if (chunk === undefined) return undefined
        const { packId, lengthBytes } = chunk.pack
        const { offset, length, plainLength } = chunk.entry
        return { pack: { packId, lengthBytes, nodes: this.#cluster.holders(chunk.pack) }, offset, length, plainLength }
      })
    })
  }

  listSnapshots(filter: SnapshotFilter, page: PageRequest): Promise<Page<Snapshot>> {
    return this.#call('listSnapshots', filter, () => paged(this.#filtered(filter), page))
  }

  #filtered(filter: SnapshotFilter): Snapshot[] {
    const matching = this.#backups(filter.vault).filter((snapshot) => {
      const manifest = decodeManifest(snapshot.manifest)
      const paths = new Set(manifest.paths.map(toHex))
      return (
        (filter.host === '' || filter.host === manifest.host) &&
        filter.paths.every((path) => paths.has(toHex(path))) &&
        filter.tags.every((tag) => manifest.tags.includes(tag))
      )
    })
    return matching.map((snapshot) => this.#current(snapshot))
  }

  getSnapshot(reference: string, filter: SnapshotFilter): Promise<Snapshot> {
    return this.#call('getSnapshot', reference, () => {
      if (reference === 'latest') return this.#match(this.#filtered(filter), reference)
      return this.#current(this.#match(this.#cluster.snapshots, reference))
    })
  }

  listSnapshotPacks(id: SnapshotId, page: PageRequest): Promise<Page<SnapshotPack>> {
    return this.#call('listSnapshotPacks', id, () => {
      const snapshot = this.#match(this.#cluster.snapshots, id)
      const vault = this.#cluster.vault(decodeManifest(snapshot.manifest).vault)
      const packs = [...this.#reachable(vault, Buffer.from(id, 'hex') as unknown as ChunkId)]
      const items = packs.map((pack): SnapshotPack => {
        const copies = this.#cluster.nodes
          .filter((node) => pack.copies.has(node.nodeId))
          .map((node) => ({ node, state: this.#cluster.isUp(node.nodeId) ? 'up' : 'dead', provenAtMs: 0 }) as const)
        return { packId: pack.packId, lengthBytes: pack.lengthBytes, copies }
      })
      return paged(items, page)
    })
  }

  listNodes(): Promise<readonly NodeInfo[]> {
    return this.#call('listNodes', undefined, () => this.#cluster.nodes.map((node) => this.#nodeInfo(node)))
  }

  #nodeInfo(node: NodeRef): NodeInfo {
    const held = [...this.#cluster.packs.values()].filter((pack) => pack.copies.has(node.nodeId))
    const usedBytes = held.reduce((sum, pack) => sum + pack.lengthBytes, 0)
    return {
      node,
      state: this.#cluster.isUp(node.nodeId) ? 'up' : 'dead',
      capacityBytes: 2 ** 40,
      usedBytes,
      freeBytes: 2 ** 40 - usedBytes,
      reservedBytes: 0,
      packs: held.length,
      lastHeartbeatMs: this.#cluster.clock.nowMs(),
      uploads: 0,
      writable: true,
      problem: '',
      programVersion: '0.0.0',
    }
  }

  async getStatus(): Promise<ClusterStatus> {
    const packs = [...this.#cluster.packs.values()]
    return {
      clusterId: randomHexId(this.#cluster.random),
      epoch: 1,
      safeMode: false,
      nodes: await this.listNodes(),
      snapshots: this.#cluster.snapshots.length,
      packs: packs.length,
      packsDegraded: packs.filter((pack) => this.#cluster.holders(pack).length < this.#cluster.copies).length,
      packsUnavailable: packs.filter((pack) => this.#cluster.holders(pack).length === 0).length,
      chunks: [...this.#cluster.vaults.values()].reduce((sum, vault) => sum + vault.chunks.size, 0),
      storedBytes: packs.reduce((sum, pack) => sum + pack.lengthBytes * pack.copies.size, 0),
      sessionsOpen: [...this.#sessions.values()].filter((session) => !session.ended).length,
      lastBackupMs: this.#cluster.snapshots.at(-1)?.committedAtMs ?? 0,
      programVersion: '0.0.0',
    }
  }

  listHistory(_kind: string, page: PageRequest): Promise<Page<Operation>> {
    return this.#call('listHistory', page, () => paged<Operation>([], page))
  }

  listFileVersions(request: ListFileVersionsRequest): Promise<Page<FileRecord>> {
    return this.#call('listFileVersions', request, () => paged(this.#fileVersions(request), request))
  }

  #fileVersions(request: ListFileVersionsRequest): FileRecord[] {
    if (request.name === '') {
      const newest = new Map(this.#files.map((file) => [file.name, file]))
      const live = [...newest.values()].filter((file) => !file.deleted && file.name.startsWith(request.prefix))
      return live.sort((a, b) => (a.name < b.name ? -1 : 1))
    }
    const versions = this.#files.filter((file) => file.name === request.name).reverse()
    return request.version === 0 ? versions : versions.filter((file) => file.version === request.version)
  }

  deleteFile(_vault: string, name: string): Promise<FileRecord> {
    return this.#call('deleteFile', name, () => {
      const versions = this.#files.filter((file) => file.name === name)
      const newest = versions.at(-1)
      if (newest === undefined) throw new TwofoldError('not-found', `there is no file ${name}`)
      if (newest.deleted) return newest
      const createdAtMs = this.#cluster.clock.nowMs()
      const deletion = { name, version: versions.length + 1, deleted: true, createdAtMs, snapshot: undefined }
      this.#files.push(deletion)
      return deletion
    })
  }
}

function paged<T>(items: readonly T[], page: PageRequest): Page<T> {
  const start = page.pageToken === '' ? 0 : Number(page.pageToken)
  const end = start + (page.pageSize === 0 ? pageSizeDefault : page.pageSize)
  return { items: items.slice(start, end), nextPageToken: end < items.length ? String(end) : '' }
}
