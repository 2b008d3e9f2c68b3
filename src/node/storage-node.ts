import { linkedController, untilAborted } from '../core/abort.ts'
import { ByteBudget, withinBudget } from '../core/byte-budget.ts'
import type { Clock } from '../core/clock.ts'
import { TwofoldError } from '../core/errors.ts'
import type { PackId } from '../core/ids.ts'
import { replicationBytesInWork, sliceBytesMax, uploadBytesInWork } from '../core/limits.ts'
import type { Logger } from '../core/logger.ts'
import type {
  ByteRange,
  PackStat,
  PackVerdict,
  ReadRequest,
  ReadSlice,
  ReplicateHeader,
  UploadHeader,
  UploadResult,
} from '../core/storage-messages.ts'
import type { CallOptions, Receipt, TicketClaims, WitnessStatement } from '../core/model.ts'
import type { Random } from '../core/random.ts'
import type { Signer } from '../format/signing.ts'
import { signReceipt } from '../format/tickets.ts'
import { openWitness } from '../format/witness-statement.ts'
import { Custodian } from './custodian.ts'
import type { ManagerApi } from './manager-api.ts'
import type { NodeLease } from './node-lease.ts'
import type { NodeLog } from './node-log.ts'
import { NodeRoom } from './node-room.ts'
import type { RoomSizes } from './node-room.ts'
import { PackIntake } from './pack-intake.ts'
import type { ReceivedPack } from './pack-intake.ts'
import type { PackStore } from './pack-store.ts'
import type { PeerApi } from './peer-api.ts'
import { checkRanges } from './read-ranges.ts'
import { checkPipeline, checkTicket, requireNamed } from './ticket-check.ts'
import type { Membership } from './ticket-check.ts'
import { Upload } from './upload.ts'
import { verifyPack } from './verify-pack.ts'
import { WritesInProgress } from './writes-in-progress.ts'

export interface StorageNodeDeps {
  readonly store: PackStore
  readonly manager: ManagerApi
  readonly peers: PeerApi
  readonly lease: NodeLease
  readonly log: NodeLog
  readonly signer: Signer
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** In bytes; `uploadBytesInWork` and `replicationBytesInWork` unless given. */
  readonly intake?: { readonly uploads: number; readonly replications: number } | undefined
  readonly room?: RoomSizes | undefined
}

const defaultIntake = { uploads: uploadBytesInWork, replications: replicationBytesInWork }

/** A storage node above gRPC: what `Storage` and `Replication` offer. */
export class StorageNode {
  readonly #deps: StorageNodeDeps
  readonly writes = new WritesInProgress()
  readonly #uploads: ByteBudget
  readonly #replications: ByteBudget
  readonly #room: NodeRoom
  readonly custodian: Custodian
  #membership: Membership | undefined

  constructor(deps: StorageNodeDeps) {
    this.#deps = deps
    const { uploads, replications } = deps.intake ?? defaultIntake
    this.#uploads = new ByteBudget(uploads)
    this.#replications = new ByteBudget(replications)
    this.#room = new NodeRoom(deps.clock, deps.room)
    this.custodian = new Custodian(deps)
  }

  /** Takes note of a registration; before the first one nothing is accepted. */
  join(membership: Membership): void {
    this.#membership = membership
  }

  /** Bytes of slices that are checked, written and forwarded just now. */
  get bytesInWork(): number {
    return this.#uploads.usedBytes + this.#replications.usedBytes
  }

  /** Bytes of uploads, replications and reads that were let in and are not done. */
  get bytesLetIn(): number {
    return this.#room.usedBytes
  }

  /** Whether a write would be accepted now. */
  get writable(): boolean {
    return this.#membership !== undefined && this.#deps.lease.held && this.#deps.store.problem === ''
  }

  /** See `Storage.Upload` in `storage.proto`. The first slice is asked for when there is room, here and on replicas. */
  async upload(
    header: UploadHeader,
    slices: AsyncIterable<Uint8Array>,
    options: CallOptions = {},
  ): Promise<UploadResult> {
    const claims = this.#admit(header.ticket, header.lengthBytes)
    requireNamed([claims.primary], 'the primary', this.#joined())
    checkPipeline(header.replicas, claims)
    const enter = (signal: AbortSignal): Promise<() => void> => this.#room.upload(header.lengthBytes, signal)
    return this.#writing({ claims, enter }, options, async (signal) => {
      const receiptFor = (received: ReceivedPack): Receipt => this.#receipt(received, claims)
      return await new Upload(
        { ...this.#deps, custodian: this.custodian, writes: this.writes, receiptFor },
        { header, claims, slices: withinBudget(untilAborted(slices, signal), this.#uploads, signal), signal },
      ).run()
    })
  }

  /** See `Replication.Replicate` in `replication.proto`. The first slice is asked for when there is room. */
  async replicate(
    header: ReplicateHeader,
    slices: AsyncIterable<Uint8Array>,
    options: CallOptions = {},
  ): Promise<Receipt> {
    const claims = this.#admit(header.ticket, header.lengthBytes)
    requireNamed(claims.replicas, 'a replica', this.#joined())
    const enter = (signal: AbortSignal): Promise<() => void> => this.#room.replication(header.lengthBytes, signal)
    return this.#writing({ claims, enter }, options, async (signal) => {
      const { custodian } = this
      const intake = await PackIntake.begin({ store: this.#deps.store, custodian }, claims, header.lengthBytes)
      try {
        for await (const slice of withinBudget(untilAborted(slices, signal), this.#replications, signal)) {
          intake.check(slice)
          await intake.append(slice)
        }
        return this.#receipt(await intake.seal(), claims)
      } finally {
        await intake.close()
      }
    })
  }

  #joined(): Membership {
    if (this.#membership === undefined) {
      throw new TwofoldError('read-only', 'this node has not registered with its manager yet', { retryAfterMs: 1000 })
    }
    return this.#membership
  }

  #admit(ticket: UploadHeader['ticket'], lengthBytes: number): TicketClaims {
    const membership = this.#joined()
    this.#deps.lease.require()
    return checkTicket(ticket, lengthBytes, { membership, lease: this.#deps.lease })
  }

  /** A pack that waits for room is in progress already, so whoever gives it up ends the wait. */
  async #writing<T>(
    { claims, enter }: { claims: TicketClaims; enter: (signal: AbortSignal) => Promise<() => void> },
    options: CallOptions,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const { controller, release } = linkedController(options.signal)
    const { signal } = controller
    try {
      const leave = await this.writes.enter(claims.packId, claims.generation, controller)
      return await enter(signal)
        .then((leaveRoom) => work(signal).finally(leaveRoom))
        .finally(leave)
    } catch (error) {
      if (signal.reason instanceof TwofoldError) throw signal.reason
      throw error
    } finally {
      release()
    }
  }

  #receipt({ pack, digest }: ReceivedPack, claims: TicketClaims): Receipt {
    const { nodeId, incarnation } = this.#joined()
    const { packId, putSequence, lengthBytes } = pack
    const durableAtMs = this.#deps.lease.managerNowMs()
    const { sessionId } = claims
    return signReceipt(
      { packId, nodeId, incarnation, putSequence, lengthBytes, digest, sessionId, durableAtMs },
      this.#deps.signer,
    )
  }

  /** See `Storage.Read` in `storage.proto`. The memory of a slice is used again when the next one is asked for. */
  async *read(request: ReadRequest, options: CallOptions = {}): AsyncGenerator<ReadSlice> {
    const reader = await this.custodian.open(request.packId)
    let leave: (() => void) | undefined
    try {
      const ranges: readonly ByteRange[] = checkRanges(request.ranges, reader.pack)
      const longest = Math.max(0, ...ranges.map(({ length }) => length))
      const room = await this.#room.read(longest, options.signal)
      leave = room.leave
      const slice = Buffer.allocUnsafeSlow(room.sliceBytes)
      for (const range of ranges) {
        const end = range.offset + range.length
        for (let offset = range.offset; offset < end;) {
          options.signal?.throwIfAborted()
          const length = await reader.read(slice.subarray(0, end - offset), offset)
          yield { offset, data: slice.subarray(0, length) }
          offset += length
        }
      }
    } finally {
      leave?.()
      await reader.close()
    }
  }

  /** See `Storage.Stat` in `storage.proto`. */
  stat(packId: PackId): PackStat {
    const { incarnation } = this.#joined()
    const pack = this.#deps.store.stat(packId)
    if (pack === undefined) return { present: false, lengthBytes: 0, putSequence: 0, incarnation, provenAtMs: 0 }
    const { lengthBytes, putSequence, provenAtMs } = pack
    return { present: true, lengthBytes, putSequence, incarnation, provenAtMs }
  }

  /** See `Storage.Witness` in `storage.proto`. */
  async witness(statement: WitnessStatement): Promise<void> {
    const membership = this.#joined()
    const { clusterId, position } = openWitness(statement, membership.managerPublicKey)
    if (clusterId !== membership.clusterId) {
      throw new TwofoldError('permission-denied', 'the statement is of another cluster')
    }
    await this.#deps.log.witness(position)
  }

  /** See `Storage.Verify` in `storage.proto`. */
  async verify(packId: PackId, options: CallOptions = {}): Promise<PackVerdict> {
    const { lease } = this.#deps
    const { leave } = await this.#room.read(sliceBytesMax, options.signal)
    const check = await verifyPack(this.custodian, packId, { signal: options.signal }).finally(leave)
    const provenAtMs = lease.managerNowMs()
    const { records, lengthBytes } = check
    return { good: check.good, problem: check.good ? '' : check.problem, records, lengthBytes, provenAtMs }
  }
}
