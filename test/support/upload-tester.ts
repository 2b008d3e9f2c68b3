import { credentials } from '@grpc/grpc-js'
import type { ServiceError } from '@grpc/grpc-js'
import { expect } from 'chai'
import { isTwofoldError } from '../../src/core/errors.ts'
import type { PackId } from '../../src/core/ids.ts'
import type { Allocation, Session } from '../../src/core/messages.ts'
import type { NodeRef, Ticket } from '../../src/core/model.ts'
import type { SealedRecord } from '../../src/format/record.ts'
import { StorageClient, StorageService } from '../../src/gen/twofold/v1/storage.ts'
import type { UploadRequest, UploadResponse } from '../../src/gen/twofold/v1/storage.ts'
import { systemRandom } from '../../src/system/random.ts'
import { dataRecord, packOf } from './hand-made-snapshot.ts'
import { slicesOf, until, WireCluster } from './wire-cluster.ts'

/** A caller that keeps to nothing: it is stopped neither by its own library's limits nor by what it was told. */
class RawCaller {
  readonly #client: StorageClient

  constructor(address: string) {
    this.#client = new StorageClient(address, credentials.createInsecure(), { 'grpc.max_send_message_length': -1 })
  }

  upload(messages: readonly UploadRequest[]): Promise<UploadResponse> {
    return new Promise((resolve, reject) => {
      const call = this.#client.upload((error, answer) => (error === null ? resolve(answer) : reject(error)))
      call.on('error', () => undefined)
      for (const message of messages) call.write(message)
      call.end()
    })
  }

  close(): void {
    this.#client.close()
  }
}

export const header = (ticket: Ticket, replicas: readonly NodeRef[], lengthBytes: number | bigint): UploadRequest => {
  const value = { ticket, replicas: [...replicas], lengthBytes: BigInt(lengthBytes) }
  return { part: { $case: 'header', value } }
}
export const slice = (value: Uint8Array): UploadRequest => ({ part: { $case: 'slice', value } })
export const slices = (bytes: Uint8Array): UploadRequest[] => {
  const parts: UploadRequest[] = []
  for (let at = 0; at < bytes.length; at += 65_536) parts.push(slice(bytes.subarray(at, at + 65_536)))
  return parts
}

/** A pack that is about to be sent. */
export interface Attempt {
  readonly session: Session
  readonly pack: Uint8Array
  readonly allocation: Allocation
}

/** Sends packs in every wrong way, and looks at what that did. */
export class UploadTester {
  readonly cluster: WireCluster
  readonly #callers: RawCaller[] = []

  constructor(cluster: WireCluster) {
    this.cluster = cluster
  }

  async attempt(records?: (session: Session) => Promise<readonly SealedRecord[]>): Promise<Attempt> {
    const session = await this.cluster.session()
    const pack = packOf(session, await (records ?? noise)(session))
    return { session, pack, allocation: await this.cluster.allocate(session, pack.length) }
  }

  call(node: NodeRef, messages: readonly UploadRequest[]): Promise<UploadResponse> {
    const caller = new RawCaller(node.address)
    this.#callers.push(caller)
    return caller.upload(messages)
  }

  /** What the primary answers, as gRPC sees it. */
  async refusal({ allocation }: Attempt, messages: readonly UploadRequest[]): Promise<ServiceError> {
    try {
      await this.call(allocation.primary, messages)
    } catch (error) {
      return error as ServiceError
    }
    throw new Error('it was not refused')
  }

  /** Nothing of the pack is on any node; and the pack itself is welcome, with the same ticket. */
  async expectNothingLeftAndRoomForMore(attempt: Attempt): Promise<void> {
    const { session, allocation } = attempt
    await this.untilNothingLeft(allocation.packId)
    await this.sendAgain(attempt)
    await this.cluster.managerApi.endSession(session, 'the test is over')
  }

  /** As soon as the nodes are through with the attempt before, whose end its caller may have heard of earlier. */
  async sendAgain({ allocation, pack }: Omit<Attempt, 'session'>): Promise<void> {
    const { packId, primary } = allocation
    const upload = this.cluster.headerOf(allocation, pack.length)
    await until(async () => {
      try {
        const { nodes } = await this.cluster.storageApi.upload(primary, upload, slicesOf(pack))
        expect(nodes).to.have.length(2)
        return true
      } catch (error) {
        if (!isTwofoldError(error, 'fenced')) throw error
        return false
      }
    })
    await until(() => this.cluster.files(packId).length === 2)
    expect(sealed(this.cluster, packId)).to.have.length(2)
  }

  untilNothingLeft(packId: PackId): Promise<void> {
    return until(() => this.cluster.files(packId).length === 0)
  }

  close(): void {
    for (const caller of this.#callers) caller.close()
  }
}

/** A cluster of three nodes for the tests of a suite, and a tester of it, which is there once they run. */
export function uploadTester(): () => UploadTester {
  let tester: UploadTester | undefined
  before(async () => {
    tester = new UploadTester(await WireCluster.start({ nodes: ['n1', 'n2', 'n3'] }))
  })
  after(async () => {
    tester?.close()
    await tester?.cluster.stop()
  })
  return () => tester as UploadTester
}

/** The copies of a pack that are whole. */
export const sealed = (cluster: WireCluster, packId: PackId): string[] =>
  cluster.files(packId).filter((file) => file.endsWith('.pack'))

/** Records of bytes that cannot be compressed, 250,000 in all. */
export async function noise(session: Session): Promise<SealedRecord[]> {
  const records: SealedRecord[] = []
  for (let record = 0; record < 5; record++) records.push(await dataRecord(session, systemRandom.bytes(50_000)))
  return records
}

/** One gRPC message as it travels: not compressed, length, bytes. */
export function frame(message: UploadRequest): Buffer {
  const bytes = StorageService.upload.requestSerialize(message)
  const prefix = Buffer.alloc(5)
  prefix.writeUInt32BE(bytes.length, 1)
  return Buffer.concat([prefix, bytes])
}
