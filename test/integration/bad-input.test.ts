import * as fs from 'node:fs'
import { join } from 'node:path'
import { status } from '@grpc/grpc-js'
import type { ServiceError } from '@grpc/grpc-js'
import { expect } from 'chai'
import { messageBytesMax, sliceBytesMax } from '../../src/core/limits.ts'
import type { Allocation, Session } from '../../src/core/messages.ts'
import type { NodeRef } from '../../src/core/model.ts'
import type { SealedRecord } from '../../src/format/record.ts'
import { createSigner } from '../../src/format/signing.ts'
import { readTicketUnchecked, signTicket } from '../../src/format/tickets.ts'
import type { UploadRequest } from '../../src/gen/twofold/v1/storage.ts'
import { systemRandom } from '../../src/system/random.ts'
import { expectError } from '../support/expect-error.ts'
import { packOf } from '../support/hand-made-snapshot.ts'
import { header, noise, slice, slices, uploadTester } from '../support/upload-tester.ts'
import type { Attempt, UploadTester } from '../support/upload-tester.ts'
import { forgeHeader } from '../unit/format/sample-pack.ts'

/*
 * What nobody should send, over real gRPC on loopback, to a manager and nodes as their mains start them. Beside this:
 * - clients that stop reading, vanish or share a session: `bad-input-clients.test.ts`
 * - the manager's clock set back, the manager restarted during an upload: `bad-input-manager.test.ts`
 * - restored trees that lead elsewhere: `bad-input-trees.test.ts`
 *
 * Closer to the code that guards against it:
 * - every bit of a pack, every length of it, lying headers and footers: `unit/format/pack-damage.test.ts`
 * - tickets that the manager itself signed but that make no sense, and their expiry: `unit/node/ticket-check.test.ts`
 * - messages of 100 MB, callers that stall, by the clock: `integration/rpc/hostile-callers.test.ts`
 * - sessions, registration, capacity, clocks and restarts of the manager: `unit/manager`
 * - every name that leads elsewhere: `unit/client/read/hostile-tree.test.ts`; links that are swapped under a restore:
 *   `integration/restore-target-disk.test.ts`
 * - processes killed in the middle: `e2e/lost-processes.test.ts`
 */

describe('bad input over the wire', () => {
  const tester = uploadTester()

  damagedStreams(tester)
  lyingRecords(tester)
  otherReplicas(tester)
  otherTickets(tester)
  hugeMessages(tester)
  unwelcomeNodes(tester)
})

function damagedStreams(tester: () => UploadTester): void {
  describe('a pack stream', () => {
    it('that is truncated is refused with DATA_LOSS', async () => {
      for (const keep of [0, 1, 100, 128, 60_000, -400, -81, -80, -1]) {
        const attempt = await tester().attempt()
        const { pack, allocation } = attempt
        const messages = slices(pack.subarray(0, keep < 0 ? pack.length + keep : keep))
        const error = await tester().refusal(attempt, [
          header(allocation.ticket, allocation.replicas, pack.length),
          ...messages,
        ])
        expect(error.code, `${keep} bytes: ${error.details}`).to.equal(status.DATA_LOSS)
        await tester().expectNothingLeftAndRoomForMore(attempt)
      }
    })

    it('with a bit flipped anywhere is refused with DATA_LOSS', async () => {
      for (const at of [0, 30, 100, 130, 70_000, -500, -90, -60, -1]) {
        const attempt = await tester().attempt()
        const { pack, allocation } = attempt
        const flipped = Buffer.from(pack)
        flipped[at < 0 ? pack.length + at : at]! ^= 0x10
        const error = await tester().refusal(attempt, [
          header(allocation.ticket, allocation.replicas, pack.length),
          ...slices(flipped),
        ])
        expect(error.code, `byte ${at}: ${error.details}`).to.equal(status.DATA_LOSS)
        await tester().expectNothingLeftAndRoomForMore(attempt)
      }
    })

    it('that is longer than announced, or announced with a length that it cannot have, is refused', async () => {
      for (const [more, announced, code] of [
        [1, 0, status.DATA_LOSS],
        [100_000, 0, status.DATA_LOSS],
        [0, -1, status.DATA_LOSS],
        [0, 1, status.INVALID_ARGUMENT],
        [0, -1e9, status.INVALID_ARGUMENT],
      ] as const) {
        const attempt = await tester().attempt()
        const { pack, allocation } = attempt
        const length = announced === -1e9 ? 2n ** 64n - 1n : pack.length + announced
        const error = await tester().refusal(attempt, [
          header(allocation.ticket, allocation.replicas, length),
          ...slices(Buffer.concat([pack, new Uint8Array(more)])),
        ])
        expect(error.code, error.details).to.equal(code)
        await tester().expectNothingLeftAndRoomForMore(attempt)
      }
    })

    it('without its header, with two, or with nothing in a message, is refused with INVALID_ARGUMENT', async () => {
      const attempt = await tester().attempt()
      const { pack, allocation } = attempt
      const head = header(allocation.ticket, allocation.replicas, pack.length)
      const nothing: UploadRequest = {}
      const empty: UploadRequest = {
        part: { $case: 'header', value: { ticket: undefined, replicas: [], lengthBytes: 1n } },
      }
      for (const messages of [
        [],
        [nothing],
        [...slices(pack)],
        [head, head],
        [head, slices(pack)[0]!, head],
        [head, nothing],
        [empty],
      ]) {
        const error = await tester().refusal(attempt, messages)
        expect(error.code, error.details).to.equal(status.INVALID_ARGUMENT)
      }
      await tester().expectNothingLeftAndRoomForMore(attempt)
    })
  })
}

function lyingRecords(tester: () => UploadTester): void {
  /** Index, footer and all checksums are right for what the header says. */
  const lie =
    (at: number, change: (header: Buffer) => void) =>
    async (session: Session): Promise<SealedRecord[]> => {
      const records = await noise(session)
      const { header: honest } = records[at]!
      return records.with(at, { ...records[at]!, header: forgeHeader(honest, change) })
    }
  const length = (change: (length: number) => number) => (bytes: Buffer) => {
    for (const offset of [56, 60]) bytes.writeUInt32LE(change(bytes.readUInt32LE(offset)), offset)
  }
  const lies = {
    'that it is a byte shorter': lie(
      1,
      length((bytes) => bytes - 1),
    ),
    'that it is a byte longer': lie(
      1,
      length((bytes) => bytes + 1),
    ),
    'that it is as long as the next one, too': lie(
      1,
      length((bytes) => 2 * bytes + 128),
    ),
    'that it is empty': lie(
      2,
      length(() => 0),
    ),
    'that it has 4 MiB': lie(
      0,
      length(() => 1 << 22),
    ),
    'that it has 4 GiB': lie(
      0,
      length(() => 0xffff_ff00),
    ),
    'that only its plain form is long': lie(0, (bytes) => bytes.writeUInt32LE(0xffff_ffff, 56)),
    'that it has references': lie(3, (bytes) => bytes.writeUInt32LE(64, 64)),
    'another hash of its bytes': lie(4, (bytes) => bytes.fill(7, 84, 116)),
    'another id of its content': lie(4, (bytes) => bytes.fill(7, 24, 56)),
    'another vault': lie(0, (bytes) => bytes.fill(7, 8, 24)),
  }

  describe('a record that says of itself', () => {
    for (const [what, records] of Object.entries(lies)) {
      it(`${what} is refused with DATA_LOSS, although everything around it agrees`, async () => {
        const attempt = await tester().attempt(records)
        const { pack, allocation } = attempt
        const error = await tester().refusal(attempt, [
          header(allocation.ticket, allocation.replicas, pack.length),
          ...slices(pack),
        ])
        expect(error.code, error.details).to.equal(status.DATA_LOSS)
        await tester().untilNothingLeft(allocation.packId)
        const honest = packOf(attempt.session, await noise(attempt.session))
        const fresh = await tester().cluster.allocate(attempt.session, honest.length)
        await tester().expectNothingLeftAndRoomForMore({ ...attempt, pack: honest, allocation: fresh })
      })
    }
  })
}

function otherReplicas(tester: () => UploadTester): void {
  describe('an upload that names', () => {
    const wrong: Record<string, (attempt: Attempt, all: readonly NodeRef[]) => NodeRef[]> = {
      'no replica': () => [],
      'the primary as its replica': ({ allocation }) => [allocation.primary],
      'the primary beside its replica': ({ allocation }) => [...allocation.replicas, allocation.primary],
      'a replica twice': ({ allocation }) => [...allocation.replicas, ...allocation.replicas],
      'another replica than its ticket': ({ allocation }, all) => all.filter((node) => !named(allocation, node)),
      'one replica too many': ({ allocation }, all) => all.filter((node) => node.nodeId !== allocation.primary.nodeId),
      '10,000 replicas': ({ allocation }) => Array.from({ length: 10_000 }, () => allocation.replicas[0]!),
      'a replica that is no node': ({ allocation }) => [{ ...allocation.replicas[0]!, nodeId: '../..' as never }],
    }
    for (const [what, replicasOf] of Object.entries(wrong)) {
      it(`${what} is refused with INVALID_ARGUMENT`, async () => {
        const attempt = await tester().attempt()
        const all = (await tester().cluster.managerApi.listNodes()).map((info) => info.node)
        const { pack, allocation } = attempt
        const messages = [header(allocation.ticket, replicasOf(attempt, all), pack.length), ...slices(pack)]
        const error = await tester().refusal(attempt, messages)
        expect(error.code, error.details).to.equal(status.INVALID_ARGUMENT)
        await tester().expectNothingLeftAndRoomForMore(attempt)
      })
    }
  })
}

const named = ({ primary, replicas }: Allocation, { nodeId }: NodeRef): boolean =>
  [primary, ...replicas].some((node) => node.nodeId === nodeId)

function otherTickets(tester: () => UploadTester): void {
  describe('a ticket', () => {
    it('that is forged, changed or missing is refused', async () => {
      const attempt = await tester().attempt()
      const { pack, allocation } = attempt
      const { claims, signature } = allocation.ticket
      const forger = createSigner(systemRandom.bytes(32))
      const changed = Buffer.from(claims)
      changed[changed.length - 1]! ^= 1
      for (const ticket of [
        signTicket(readTicketUnchecked(allocation.ticket), forger),
        { claims: changed, signature },
        { claims, signature: new Uint8Array(64) },
        { claims: new Uint8Array(0), signature: new Uint8Array(0) },
      ]) {
        const error = await tester().refusal(attempt, [
          header(ticket, allocation.replicas, pack.length),
          ...slices(pack),
        ])
        expect(error.code, error.details).to.equal(status.PERMISSION_DENIED)
      }
      await tester().expectNothingLeftAndRoomForMore(attempt)
    })

    it('of another node is refused, by its replica and by whom it does not name', async () => {
      const attempt = await tester().attempt()
      const { pack, allocation } = attempt
      const messages = [header(allocation.ticket, allocation.replicas, pack.length), ...slices(pack)]
      const others = (await tester().cluster.managerApi.listNodes()).map((info) => info.node)
      for (const node of others.filter(({ nodeId }) => nodeId !== allocation.primary.nodeId)) {
        const error = await tester()
          .call(node, messages)
          .then(
            () => undefined,
            (reason: unknown) => reason as ServiceError,
          )
        expect(error?.code, error?.details).to.equal(status.PERMISSION_DENIED)
      }
      await tester().expectNothingLeftAndRoomForMore(attempt)
    })
  })
}

function hugeMessages(tester: () => UploadTester): void {
  it('a message of 100 MB in the middle of an upload ends it, and others are served', async () => {
    const attempt = await tester().attempt()
    const { pack, allocation } = attempt
    const head = header(allocation.ticket, allocation.replicas, pack.length)
    const error = await tester().refusal(attempt, [head, slices(pack)[0]!, slice(Buffer.alloc(100_000_000))])
    expect(error.code).to.equal(status.RESOURCE_EXHAUSTED)
    expect(error.details).to.contain(String(messageBytesMax))
    await tester().expectNothingLeftAndRoomForMore(attempt)
  })

  it('a slice over the limit is refused with INVALID_ARGUMENT', async () => {
    const attempt = await tester().attempt()
    const { pack, allocation } = attempt
    const head = header(allocation.ticket, allocation.replicas, pack.length)
    const error = await tester().refusal(attempt, [head, slice(Buffer.alloc(sliceBytesMax + 1))])
    expect(error.code, error.details).to.equal(status.INVALID_ARGUMENT)
    await tester().expectNothingLeftAndRoomForMore(attempt)
  })
}

function unwelcomeNodes(tester: () => UploadTester): void {
  it('a node with a name that is taken is told whose it is, and disturbs nobody', async () => {
    const { cluster } = tester()
    const impostor = await cluster.startNode({ name: 'n1' }, 'impostor')
    const error = await expectError(impostor.ended, 'already-exists')
    const infos = await cluster.managerApi.listNodes()
    const holder = infos.find((info) => info.node.name === 'n1')!
    expect(error.message).to.contain(holder.node.nodeId).and.to.contain(holder.node.address)
    expect(infos.map((info) => [info.node.name, info.state])).to.deep.equal([
      ['n1', 'up'],
      ['n2', 'up'],
      ['n3', 'up'],
    ])
    await impostor.stop()
  })

  for (const capacityBytes of [0, -1, 0.5, Number.NaN]) {
    it(`a node with a capacity of ${capacityBytes} does not start, and leaves its directory alone`, async () => {
      const { cluster } = tester()
      const error = await expectError(cluster.startNode({ name: 'n9', capacityBytes }), 'invalid-argument')
      expect(error.message).to.contain('capacity of at least 1 byte').and.to.contain(String(capacityBytes))
      expect(fs.existsSync(join(cluster.directory, 'n9'))).to.equal(false)
    })
  }
}
