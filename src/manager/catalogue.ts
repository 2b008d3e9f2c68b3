import type { ChunkId, NodeId, PackId, SessionId, SnapshotId } from '../core/ids.ts'
import type { ProvenCopy } from '../core/messages.ts'
import type { Operation, PackEntry, Ticket } from '../core/model.ts'
import type { CheckpointReader, CheckpointWriter } from './catalogue-checkpoints.ts'
import type { ScheduledReader, ScheduledWriter } from './catalogue-schedules.ts'
import type {
  ChunkRow,
  CopyRow,
  FileRow,
  GenerationRow,
  InventoryRow,
  LogRow,
  MoveRow,
  NewOperation,
  NewSnapshot,
  NodeAdminState,
  NodeCopyRow,
  NodeRow,
  OrderRow,
  PackChunkRow,
  PackCopyRow,
  PackCopiesRow,
  PackRow,
  RecoveredSnapshot,
  RecoveredTree,
  SessionRow,
  SessionState,
  SnapshotRow,
  SnapshotSetRow,
  VaultRow,
} from './catalogue-rows.ts'
import type { RequestReader, RequestWriter } from './catalogue-requests.ts'
import type { DamagedReader, DamagedWriter, UnknownPackReader, UnknownPackWriter } from './catalogue-findings.ts'

/**
 * Everything that the manager must not forget, as a port.
 *
 * Contract:
 * - Transactions are serializable: each runs as if it were alone. A read sees what was committed before it, all of it
 *   and nothing else.
 * - `write` resolves only after everything it wrote is durable. When `work` throws, nothing of it remains, and the
 *   promise rejects with that error.
 * - When `write` rejects with anything that `work` did not throw, the outcome is unknown: ask again.
 * - `work` awaits nothing but methods of the transaction that it was given, and starts no other transaction. It may be
 *   run more than once by drivers that resolve conflicts by repeating, so it has no effect outside the transaction.
 * - Failures of the store are `TwofoldError`s: `no-room` when its disk is full, `io` when it failed, `unavailable` when
 *   it is closed or cannot be reached. After `io` from a commit every later call fails with `io`: what the disk holds
 *   is then only known after a restart.
 * - Numbers given by `operations.add`, `snapshots.add` and `log.append` grow and are never given twice.
 */
export interface Catalogue {
  read<T>(work: (tx: CatalogueReader) => Promise<T>): Promise<T>
  write<T>(work: (tx: CatalogueWriter) => Promise<T>): Promise<T>
  /**
   * One bounded piece of what the driver does in the background to be fast; transactions see nothing of it. To be
   * called again and again. Resolves with whether there is more to do now.
   */
  upkeep(): Promise<boolean>
  /** Whether calls can succeed: false once it is closed or its disk failed. */
  healthy(): boolean
  /** Waits for what is in progress; later calls fail with `unavailable`. */
  close(): Promise<void>
}

export interface CatalogueReader extends ScheduledReader {
  readonly settings: SettingReader
  readonly vaults: VaultReader
  readonly nodes: NodeReader
  readonly sessions: SessionReader
  readonly packs: PackReader
  readonly copies: CopyReader
  readonly damaged: DamagedReader
  readonly unknownPacks: UnknownPackReader
  readonly chunks: ChunkReader
  readonly snapshots: SnapshotReader
  readonly checkpoints: CheckpointReader
  readonly files: FileReader
  readonly orders: OrderReader
  readonly operations: OperationReader
  readonly log: LogReader
  readonly requests: RequestReader
  readonly recovery: RecoveryReader
}

export interface CatalogueWriter extends Omit<CatalogueReader, keyof ScheduledWriter>, ScheduledWriter {
  readonly settings: SettingWriter
  readonly vaults: VaultWriter
  readonly nodes: NodeWriter
  readonly sessions: SessionWriter
  readonly packs: PackWriter
  readonly copies: CopyWriter
  readonly damaged: DamagedWriter
  readonly unknownPacks: UnknownPackWriter
  readonly chunks: ChunkWriter
  readonly snapshots: SnapshotWriter
  readonly checkpoints: CheckpointWriter
  readonly files: FileWriter
  readonly orders: OrderWriter
  readonly operations: OperationWriter
  readonly log: LogWriter
  readonly requests: RequestWriter
  readonly recovery: RecoveryWriter
}

export interface SettingReader {
  get(key: string): Promise<Uint8Array | undefined>
}
export interface SettingWriter extends SettingReader {
  set(key: string, value: Uint8Array): Promise<void>
}

export interface VaultReader {
  byName(name: string): Promise<VaultRow | undefined>
  byId(id: number): Promise<VaultRow | undefined>
  all(): Promise<VaultRow[]>
}
export interface VaultWriter extends VaultReader {
  add(vault: { name: string; vaultId: Uint8Array; copies: number; minCopies: number }): Promise<void>
  /** Adds to the vault's totals. */
  count(id: number, more: { chunks: number; packs: number; storedBytes: number }): Promise<void>
}

export interface NodeReader {
  all(): Promise<NodeRow[]>
  find(nodeId: NodeId): Promise<NodeRow | undefined>
  /** The registration that a process of any node has, or had before a newer one. */
  boot(bootId: string): Promise<{ node: number; registrationNumber: number } | undefined>
  /** The digest is that of the node's copies at any moment of the transaction. */
  inventory(node: number): Promise<InventoryRow>
}
export interface NodeWriter extends NodeReader {
  /** Inserts the node, or replaces what is known of it, and remembers its boot. Resolves with its row. */
  put(node: Omit<NodeRow, 'id'>): Promise<NodeRow>
  /** Raises the highest known put; a lower one changes nothing. */
  raisePutSequence(node: number, putSequence: number): Promise<void>
  /** Resolves with the row as it is now. */
  setAdmin(node: number, admin: NodeAdminState): Promise<NodeRow>
  /** Remembers which of a node's lists was taken in last. */
  tookInventory(node: number, report: Omit<InventoryRow, 'copiesDigest'>): Promise<void>
}

export interface SessionReader {
  find(sessionId: SessionId): Promise<SessionRow | undefined>
  byId(id: number): Promise<SessionRow | undefined>
  byRequest(clientId: string, requestId: string): Promise<SessionRow | undefined>
  /** Identities of all that are open. */
  open(): Promise<SessionId[]>
  /** Row of the newest that was ever begun; 0 for none. */
  newest(): Promise<number>
  /** Row of the oldest that is open; undefined when none is. */
  oldestOpen(): Promise<number | undefined>
}
export interface SessionWriter extends SessionReader {
  add(session: Omit<SessionRow, 'id' | 'state' | 'snapshotId'>): Promise<void>
  finish(id: number, state: Exclude<SessionState, 'open'>, snapshotId: string): Promise<void>
}

/** How many committed packs of a vault have so many copies. */
export interface CopyCount {
  readonly vault: number
  readonly copies: number
  readonly packs: number
}

export interface PackReader {
  find(packId: PackId): Promise<PackRow | undefined>
  byRequest(session: number, requestId: string): Promise<PackRow | undefined>
  openOfSession(session: number): Promise<PackRow[]>
  open(): Promise<PackRow[]>
  /** One for each id, in the order asked for. */
  byIds(ids: readonly number[]): Promise<(PackRow | undefined)[]>
  /** The first first. */
  generations(pack: number): Promise<GenerationRow[]>
  /** The highest id of any pack; 0 when there is none. Ids grow. */
  newestId(): Promise<number>
  /**
   * Of the packs with ids above `after` and up to `upTo`: how many committed ones have how many copies on the nodes in
   * `counted`, for each vault, and whether any is still open.
   */
  countByCopies(
    counted: readonly number[],
    range: { readonly after: number; readonly upTo: number },
  ): Promise<{ readonly counts: readonly CopyCount[]; readonly open: boolean }>
  /** Of any state, in the order of their rows, after `after`. */
  page(after: number, limit: number): Promise<PackRow[]>
  /** Those of `ids` that are anything but committed. */
  notCommitted(ids: readonly number[]): Promise<PackRow[]>
  /** Condemned ones whose `condemnedSession` is below `before`. */
  condemned(before: number, limit: number): Promise<PackRow[]>
  /** How many are condemned, and their bytes. */
  condemnedTotal(): Promise<{ packs: number; lengthBytes: number }>
  /** Numbers above `after`, in their order. */
  moves(after: number, limit: number): Promise<MoveRow[]>
  /** Number of the newest move; 0 for none. */
  newestMove(): Promise<number>
  /** The packs that chunks of this one were moved to. */
  movedTo(pack: number): Promise<number[]>
  /** Another number whenever a set of packs of a snapshot, or a move, was rewritten. */
  setsVersion(): Promise<number>
  /** Up to `limit` committed packs with rows above `after`, in the order of their rows. */
  withCopies(after: number, limit: number): Promise<PackCopiesRow[]>
  /** The hash of a committed pack's bytes; undefined when it is not known. */
  digest(pack: number): Promise<Uint8Array | undefined>
}
export interface PackWriter extends PackReader {
  /** Resolves with the row's id. */
  add(pack: Omit<PackRow, 'id' | 'state' | 'generation' | 'condemnedSession'>): Promise<number>
  /** Adds a pipeline, which becomes the pack's current one. */
  addGeneration(pack: number, generation: number, entry: { failedNodeId: string; ticket: Ticket }): Promise<void>
  settle(
    pack: number,
    outcome: { state: 'committed' | 'abandoned'; lengthBytes: number; digest?: Uint8Array },
  ): Promise<void>
  /** Makes the pack's generation one higher than it ever was, and than `above`. Resolves with it. */
  raiseGeneration(pack: number, above?: number): Promise<number>
  /** Forgets the pipelines of a session's packs, which nobody asks for once it has ended. */
  forgetPipelines(session: number): Promise<void>
  /** Makes committed packs condemned ones; `copies.version` changes. */
  condemn(packs: readonly number[], newestSession: number): Promise<void>
  /** Makes condemned packs committed ones again. */
  revive(packs: readonly number[]): Promise<void>
  /** Makes a condemned pack a deleted one, and forgets the moves from and to it. */
  bury(pack: number): Promise<void>
  /** Remembers that chunks were moved, under a new number also if some were before. */
  addMove(from: number, to: number): Promise<void>
  /** Moves to `pack` become moves to where its own chunks were moved to; `setsVersion` changes. */
  passMovesOn(pack: number): Promise<void>
}

export interface CopyReader {
  /** The copies of each pack, in the order asked for. */
  of(packs: readonly number[]): Promise<CopyRow[][]>
  /** All copies of the packs with ids above `after` and up to `upTo`, in the order of the packs. */
  inRange(range: { readonly after: number; readonly upTo: number }): Promise<PackCopyRow[]>
  /** Another number whenever copies were forgotten, or committed packs became condemned or the other way round. */
  version(): Promise<number>
  /** Another number whenever a pack that may have been counted got one more copy. */
  additions(): Promise<number>
  /** Up to `limit` copies of a node of packs with rows above `after`, in the order of those rows. */
  ofNode(node: number, page: { after: number; limit: number }): Promise<NodeCopyRow[]>
  /** All copies of a node. */
  totalOf(node: number): Promise<{ packs: number; bytes: number }>
}
export interface CopyWriter extends CopyReader {
  /** Adds a copy of a pack that is committed in the same transaction: `additions` stays. */
  add(pack: number, copy: CopyRow): Promise<void>
  /** Adds a copy, or replaces what is known of the one on that node. */
  put(pack: number, copy: CopyRow): Promise<void>
  /** Forgets a copy, provided that it is this put. Resolves with whether it was there. */
  remove(pack: number, copy: Pick<CopyRow, 'node' | 'putSequence'>): Promise<boolean>
  /** Notes when copies of a node were proven, each only if it is this put, and never an earlier time. */
  prove(node: number, proven: readonly ProvenCopy[]): Promise<void>
  /** Forgets all copies of a pack. */
  dropPack(pack: number): Promise<void>
  /** Forgets all copies on a node. Resolves with how many. */
  dropNode(node: number): Promise<number>
}

export interface ChunkReader {
  /** One for each id, in the order asked for. */
  find(vault: number, ids: readonly ChunkId[]): Promise<(ChunkRow | undefined)[]>
  /** The references of trees and snapshots, 32 bytes each; undefined for what is not one. */
  refs(vault: number, ids: readonly ChunkId[]): Promise<(Uint8Array | undefined)[]>
  /** The numbers of trees and snapshots, by which their references can be asked for; undefined for what is not one. */
  treeNumbers(vault: number, ids: readonly ChunkId[]): Promise<(number | undefined)[]>
  /** The references of trees by their numbers; undefined for one that is gone. */
  refsByNumber(numbers: readonly number[]): Promise<(Uint8Array | undefined)[]>
  /** The chunks of the vault that lie in this pack, by offset. Those that were moved elsewhere are not among them. */
  ofPack(vault: number, pack: number): Promise<PackChunkRow[]>
}
export interface ChunkWriter extends ChunkReader {
  /** Inserts the chunks, or moves them to this pack. */
  put(vault: number, pack: number, entries: readonly PackEntry[]): Promise<void>
  /** Forgets the chunks that lie in this pack, and their references. Resolves with how many. */
  removePack(vault: number, pack: number): Promise<number>
}

export interface SnapshotReader {
  /** In the trash or not. */
  find(snapshotId: SnapshotId): Promise<SnapshotRow | undefined>
  /** Up to `limit` of a vault, of any kind, in the trash or not, whose id begins with `prefix`. */
  byPrefix(vault: number, prefix: string, limit: number): Promise<SnapshotRow[]>
  /** Backups only, not single files. `host` empty means any. Either what is in the trash or what is not. */
  page(query: SnapshotQuery): Promise<SnapshotRow[]>
  /** Not from the trash. */
  newest(vault: number, host: string, pathsKey: Uint8Array): Promise<SnapshotRow | undefined>
  /** Of everything, single files and trash included, committed after `after`, in that order. */
  sets(after: number, limit: number): Promise<SnapshotSetRow[]>
  /** Those in the trash whose time is over at `nowMs`. */
  expired(nowMs: number, limit: number): Promise<SnapshotRow[]>
  /** When it was removed for good; undefined for one that was not. */
  removedAtMs(snapshotId: SnapshotId): Promise<number | undefined>
  /** Its set of packs; undefined when it is gone. */
  packs(commitSequence: number): Promise<Uint8Array | undefined>
  /** The highest commit sequence there is; 0 when there is none. */
  newestSequence(): Promise<number>
  /** Backups only, not from the trash. */
  summary(): Promise<{ count: number; newestAtMs: number }>
}
export interface SnapshotQuery {
  readonly vault: number
  readonly host: string
  /** Only those committed after (ascending) or before (descending) this one. */
  readonly from: number
  readonly order: 'oldest-first' | 'newest-first'
  readonly limit: number
  readonly trash?: boolean
}
export interface SnapshotWriter extends SnapshotReader {
  /** Resolves with its commit sequence: the next one, or the one that is given, which must be free. */
  add(snapshot: NewSnapshot & { readonly commitSequence?: number }): Promise<number>
  /** 0 brings it back from the trash. */
  setExpiry(commitSequence: number, expiresAtMs: number): Promise<void>
  setPin(commitSequence: number, pin: string | undefined): Promise<void>
  /** Undefined: those of the manifest again. */
  setTags(commitSequence: number, tags: readonly string[] | undefined): Promise<void>
  /** `setsVersion` of packs changes. */
  setPacks(commitSequence: number, packs: Uint8Array): Promise<void>
  /** For good, with the version of a file that it is; a tombstone stays. */
  remove(commitSequence: number, removedAtMs: number): Promise<void>
}

export interface FileReader {
  newest(vault: number, name: string): Promise<FileRow | undefined>
  /** Versions of one file below `before`, the newest first. */
  versions(vault: number, name: string, page: { before: number; limit: number }): Promise<FileRow[]>
  /** The newest version of each file that is not deleted, by name, after `after`. */
  list(vault: number, prefix: string, page: { after: string; limit: number }): Promise<FileRow[]>
}
export interface FileWriter extends FileReader {
  /** `commitSequence` 0 records a deletion. */
  add(
    vault: number,
    file: { name: string; version: number; createdAtMs: number; commitSequence: number },
  ): Promise<void>
}

export interface OrderReader {
  /** The oldest first. */
  ofNode(node: number, limit: number): Promise<OrderRow[]>
  /** Those of any node that concern a pack, the oldest first. */
  ofPack(packId: PackId): Promise<(OrderRow & { readonly node: number })[]>
}
export interface OrderWriter extends OrderReader {
  add(node: number, order: OrderRow): Promise<void>
  /** Forgets an order that was carried out; unknown ones are fine. Resolves with what it was. */
  remove(node: number, orderId: string): Promise<OrderRow | undefined>
  dropNode(node: number): Promise<void>
}

export interface OperationReader {
  /** The newest first, numbers below `before`. `kind` empty means all. */
  page(query: { kind: string; before: number; limit: number }): Promise<Operation[]>
}
export interface OperationWriter extends OperationReader {
  /** Resolves with its number. */
  add(operation: NewOperation): Promise<number>
  /** Forgets those of a kind that made no snapshot, but for the newest `count`. */
  trim(kind: string, count: number): Promise<void>
}

/** What a recovery gathers before it can make sense of it. */
export interface RecoveryReader {
  log(hash: Uint8Array): Promise<LogRow | undefined>
  /** Up to `limit` entries after this one, by number and hash. */
  logAfter(after: { sequence: number; hash: Uint8Array }, limit: number): Promise<LogRow[]>
  /** The entries that no other one follows. */
  logEnds(): Promise<LogRow[]>
  /** Up to `limit` with higher ids, by id. */
  snapshotsAfter(snapshotId: string, limit: number): Promise<RecoveredSnapshot[]>
  snapshot(snapshotId: string): Promise<RecoveredSnapshot | undefined>
  /** Up to `limit` trees and snapshot records after this one. */
  treesAfter(id: number, limit: number): Promise<RecoveredTree[]>
}
export interface RecoveryWriter extends RecoveryReader {
  /** Adds an entry of a node's log; known ones are fine. */
  addLog(entry: LogRow): Promise<void>
  /** Adds a snapshot's record; known ones are fine. */
  addSnapshot(snapshot: RecoveredSnapshot): Promise<void>
  /** Forgets a tree or snapshot record, as if its pack did not have it. */
  dropTree(tree: RecoveredTree): Promise<void>
  /** Forgets what was gathered. */
  clear(): Promise<void>
}

export interface LogReader {
  newest(): Promise<LogRow | undefined>
  at(sequence: number): Promise<LogRow | undefined>
  /** Up to `limit` with higher numbers, the lowest first. */
  after(sequence: number, limit: number): Promise<LogRow[]>
}
export interface LogWriter extends LogReader {
  /** Resolves with the row. A given number must be higher than all others. */
  append(row: Omit<LogRow, 'sequence'> & { readonly sequence?: number }): Promise<LogRow>
}
