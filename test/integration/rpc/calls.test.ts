import { expect } from 'chai'
import { TwofoldError } from '../../../src/core/errors.ts'
import type { UploadRequest } from '../../../src/gen/twofold/v1/storage.ts'
import { StorageBulkClient, StorageBulkService } from '../../../src/rpc/bulk.ts'
import { callClientStream, callServerStream, callUnary } from '../../../src/rpc/calls.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'
import { StorageFixture, absent, failureOf, gate, noReceipts, sliceOf, slices, until } from './storage-fixture.ts'

const { upload, read, stat, verify } = StorageBulkService
const packId = '0'.repeat(32)

describe('calls over the wire', () => {
  let fixture: StorageFixture
  beforeEach(async () => {
    fixture = new StorageFixture()
    await fixture.start()
  })
  afterEach(() => fixture.stop())

  describe('unary', () => {
    it('brings the answer', async () => {
      fixture.behaviour.stat = (request) => Promise.resolve({ ...absent, incarnation: request.packId })
      expect(await callUnary(fixture.client, stat, { packId }, { deadlineMs: 5000 })).to.include({
        incarnation: packId,
      })
    })

    it('brings an expected error whole', async () => {
      fixture.behaviour.stat = () =>
        Promise.reject(
          new TwofoldError('no-room', 'no storage node has room', { fields: { node: 'n1' }, retryAfterMs: 9 }),
        )
      const error = await failureOf(callUnary(fixture.client, stat, { packId }, { deadlineMs: 5000 }))
      expect(error).to.deep.include({ code: 'no-room', fields: { node: 'n1' }, retryAfterMs: 9 })
    })

    it('keeps an unexpected error to the log', async () => {
      fixture.behaviour.stat = () => Promise.reject(new Error('the password is xyzzy'))
      const error = await failureOf(callUnary(fixture.client, stat, { packId }, { deadlineMs: 5000 }))
      expect(error.code).to.equal('internal')
      expect(error.message).not.to.contain('xyzzy')
      const line = fixture.log.find(({ level }) => level === 'error')
      expect(line?.fields.call).to.equal('/twofold.v1.Storage/Stat')
      expect(line?.fields.error).to.have.property('message', 'the password is xyzzy')
    })

    it('ends at its deadline, on both sides', async () => {
      const stopped = gate()
      fixture.behaviour.stat = (_request, { signal, deadline }) => {
        expect(deadline).to.be.a('number')
        return new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            stopped.open()
            reject(signal.reason as Error)
          })
        })
      }
      const error = await failureOf(callUnary(fixture.client, stat, { packId }, { deadlineMs: 100 }))
      expect(error.code).to.equal('deadline-exceeded')
      await stopped.opened
    })

    it('ends when its signal is aborted, on both sides', async () => {
      const controller = new AbortController()
      const stopped = gate()
      fixture.behaviour.stat = (_request, { signal }) => {
        signal.addEventListener('abort', () => stopped.open())
        controller.abort()
        return new Promise(() => undefined)
      }
      const options = { deadlineMs: 20_000, signal: controller.signal }
      expect(await failureOf(callUnary(fixture.client, stat, { packId }, options))).to.include({ code: 'cancelled' })
      await stopped.opened
      expect(await failureOf(callUnary(fixture.client, stat, { packId }, options))).to.include({ code: 'cancelled' })
    })

    it('says whom it cannot reach', async () => {
      const client = fixture.pool.client(StorageBulkClient, '127.0.0.1:1')
      const error = await failureOf(callUnary(client, verify, { packId }, { deadlineMs: 5000 }))
      expect(error.code).to.equal('unavailable')
      expect(error.message).to.match(/^cannot reach 127\.0\.0\.1:1: is it running/)
    })

    it('refuses an address that is none', () => {
      expect(() => fixture.pool.client(StorageBulkClient, 'nonsense'))
        .to.throw()
        .with.property('code', 'invalid-argument')
    })
  })

  describe('client streams', () => {
    it('bring every message in order, also when their memory is reused', async () => {
      const seen: number[] = []
      fixture.behaviour.upload = async (messages) => {
        for await (const message of messages) {
          const slice = sliceOf(message)
          expect(slice.every((byte) => byte === slice[0])).to.equal(true)
          seen.push(slice[0] ?? -1)
        }
        return noReceipts
      }
      async function* reused(): AsyncGenerator<UploadRequest> {
        const value = new Uint8Array(300_000)
        for (let turn = 0; turn < 100; turn++) {
          yield { part: { $case: 'slice', value: value.fill(turn) } }
          value.fill(255)
          await Promise.resolve()
        }
      }
      // The first messages are written while the connection is not there yet.
      await callClientStream(fixture.client, upload, reused())
      expect(seen).to.deep.equal(Array.from({ length: 100 }, (_, index) => index))
    })

    it('take messages no faster than the server reads them', async () => {
      let taken = 0
      let handled = 0
      let slow = gate()
      fixture.behaviour.upload = async (messages) => {
        for await (const _message of messages) {
          handled += 1
          if (handled === 1) await slow.opened
        }
        return noReceipts
      }
      async function* many(): AsyncGenerator<UploadRequest> {
        for (; taken < 400; taken++)
          yield await Promise.resolve({ part: { $case: 'slice', value: Buffer.alloc(1 << 18) } })
      }
      const work = callClientStream(fixture.client, upload, many())
      let before = -1
      await until(() => {
        const still = taken === before && handled === 1
        before = taken
        return still
      })
      // A window of 4 MiB, what the kernel holds of a socket, and a few messages on either side.
      expect(taken).to.be.within(2, 80)
      slow.open()
      await work
      expect([taken, handled]).to.deep.equal([400, 400])
      slow = gate()
    })

    it('end when the server answers early', async () => {
      fixture.behaviour.upload = () => Promise.resolve(noReceipts)
      let returned = false
      async function* endless(): AsyncGenerator<UploadRequest> {
        try {
          for (;;) yield await Promise.resolve({ part: { $case: 'slice', value: Buffer.alloc(1 << 18) } })
        } finally {
          returned = true
        }
      }
      expect(await callClientStream(fixture.client, upload, endless())).to.deep.equal(noReceipts)
      expect(returned).to.equal(true)
    })

    it('end with the error when the server fails, even while the producer has nothing to send', async () => {
      fixture.behaviour.upload = () => Promise.reject(new TwofoldError('read-only', 'the disk failed'))
      const messages: AsyncIterable<UploadRequest> = {
        [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => undefined) }),
      }
      expect(await failureOf(callClientStream(fixture.client, upload, messages))).to.include({ code: 'read-only' })
    })

    it('throw what the producer throws, and the server sees the call cancelled', async () => {
      const arrived = gate()
      const seen = gate<unknown>()
      fixture.behaviour.upload = async (messages) => {
        try {
          for await (const _message of messages) arrived.open()
        } catch (error) {
          seen.open(error)
          throw error
        }
        return noReceipts
      }
      async function* broken(): AsyncGenerator<UploadRequest> {
        yield* slices(Buffer.alloc(10))
        await arrived.opened
        throw new Error('cannot read the file')
      }
      const error = await failureOf(callClientStream(fixture.client, upload, broken()))
      expect(error.message).to.equal('cannot read the file')
      expect(await seen.opened).to.include({ code: 'cancelled' })
    })

    it('end when their signal is aborted, on both sides', async () => {
      const controller = new AbortController()
      const stopped = gate()
      fixture.behaviour.upload = async (messages, { signal }) => {
        signal.addEventListener('abort', () => stopped.open())
        for await (const _message of messages) controller.abort()
        return noReceipts
      }
      async function* stalling(): AsyncGenerator<UploadRequest> {
        yield* slices(Buffer.alloc(10))
        await new Promise(() => undefined)
      }
      const work = callClientStream(fixture.client, upload, stalling(), { signal: controller.signal })
      expect(await failureOf(work)).to.include({ code: 'cancelled' })
      await stopped.opened
    })

    it('give up on a server that takes nothing', async () => {
      const clock = new VirtualClock()
      fixture.behaviour.upload = () => new Promise(() => undefined)
      let taken = 0
      async function* many(): AsyncGenerator<UploadRequest> {
        for (;;) {
          taken += 1
          yield await Promise.resolve({ part: { $case: 'slice', value: Buffer.alloc(1 << 20) } })
        }
      }
      const work = failureOf(callClientStream(fixture.client, upload, many(), { clock, idleMs: 1000 }))
      let before = 0
      await until(() => {
        const still = taken > 2 && taken === before
        before = taken
        return still
      })
      clock.advance(1000)
      await clock.yield()
      expect(await work).to.include({ code: 'deadline-exceeded' })
    })

    it('give up on a server that does not answer', async () => {
      const clock = new VirtualClock()
      const read = gate()
      fixture.behaviour.upload = async (messages) => {
        for await (const _message of messages);
        read.open()
        return new Promise(() => undefined)
      }
      const options = { clock, idleMs: 1000, answerMs: 5000 }
      const work = failureOf(callClientStream(fixture.client, upload, slices(Buffer.alloc(10)), options))
      await read.opened
      clock.advance(4999)
      await clock.yield()
      expect(clock.sleeping).to.be.greaterThan(0)
      clock.advance(1)
      await clock.yield()
      expect(await work).to.include({ code: 'deadline-exceeded' })
      expect(clock.sleeping).to.equal(0)
    })
  })

  describe('server streams', () => {
    it('bring every message in order, also when their memory is reused', async () => {
      fixture.behaviour.read = async function* () {
        const data = Buffer.alloc(300_000)
        for (let turn = 0; turn < 100; turn++) {
          yield { offset: BigInt(turn), data: data.fill(turn) }
          data.fill(255)
          await Promise.resolve()
        }
      }
      let next = 0
      for await (const { offset, data } of callServerStream(fixture.client, read, { packId, ranges: [] })) {
        expect(Number(offset)).to.equal(next)
        expect(data.every((byte) => byte === next)).to.equal(true)
        next += 1
      }
      expect(next).to.equal(100)
    })

    it('are produced no faster than they are read', async () => {
      let produced = 0
      fixture.behaviour.read = async function* () {
        for (; produced < 400; produced++) yield await Promise.resolve({ offset: 0n, data: Buffer.alloc(1 << 18) })
      }
      const messages = callServerStream(fixture.client, read, { packId, ranges: [] })
      await messages.next()
      let before = 0
      await until(() => {
        const still = produced > 1 && produced === before
        before = produced
        return still
      })
      expect(produced).to.be.within(2, 80)
      let rest = 0
      for await (const _message of messages) rest += 1
      expect(rest).to.equal(399)
    })

    it('end with the error, after what came before it', async () => {
      fixture.behaviour.read = async function* () {
        yield await Promise.resolve({ offset: 0n, data: Buffer.alloc(10) })
        throw new TwofoldError('integrity', 'record 3 is damaged')
      }
      const work = async (): Promise<void> => {
        for await (const _message of callServerStream(fixture.client, read, { packId, ranges: [] }));
      }
      expect(await failureOf(work())).to.include({ code: 'integrity', message: 'record 3 is damaged' })
    })

    it('end on the server when the reader stops early', async () => {
      const stopped = gate()
      fixture.behaviour.read = async function* (_request, { signal }) {
        signal.addEventListener('abort', () => stopped.open())
        for (;;) yield await Promise.resolve({ offset: 0n, data: Buffer.alloc(1 << 18) })
      }
      for await (const _message of callServerStream(fixture.client, read, { packId, ranges: [] })) break
      await stopped.opened
    })

    it('end when their signal is aborted', async () => {
      const controller = new AbortController()
      fixture.behaviour.read = async function* () {
        yield await Promise.resolve({ offset: 0n, data: Buffer.alloc(10) })
        await new Promise(() => undefined)
      }
      const options = { signal: controller.signal }
      const work = async (): Promise<void> => {
        for await (const _message of callServerStream(fixture.client, read, { packId, ranges: [] }, options)) {
          controller.abort()
        }
      }
      expect(await failureOf(work())).to.include({ code: 'cancelled' })
    })

    it('give up on a server that sends nothing', async () => {
      const clock = new VirtualClock()
      const asked = gate()
      fixture.behaviour.read = async function* () {
        yield await Promise.resolve({ offset: 0n, data: Buffer.alloc(10) })
        asked.open()
        await new Promise(() => undefined)
      }
      const work = async (): Promise<void> => {
        const options = { clock, idleMs: 1000 }
        for await (const _message of callServerStream(fixture.client, read, { packId, ranges: [] }, options));
      }
      const failed = failureOf(work())
      await asked.opened
      await until(() => clock.sleeping > 0)
      let over = false
      void failed.then(() => (over = true))
      await until(
        () => over,
        () => clock.advance(500),
      )
      expect(await failed).to.include({ code: 'deadline-exceeded' })
    })
  })
})
