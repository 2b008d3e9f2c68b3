import { connect } from 'node:http2'
import type { ClientHttp2Session } from 'node:http2'
import { credentials } from '@grpc/grpc-js'
import { expect } from 'chai'
import { TwofoldError } from '../../../src/core/errors.ts'
import { messageBytesMax } from '../../../src/core/limits.ts'
import type { UploadRequest } from '../../../src/gen/twofold/v1/storage.ts'
import { StorageClient, StorageService } from '../../../src/gen/twofold/v1/storage.ts'
import { StorageBulkService } from '../../../src/rpc/bulk.ts'
import { callClientStream, callServerStream, callUnary } from '../../../src/rpc/calls.ts'
import { StorageFixture, absent, failureOf, gate, noReceipts, slices, until } from './storage-fixture.ts'

const { upload, read, stat } = StorageBulkService
const packId = '0'.repeat(32)

/** One gRPC message as it travels: not compressed, length, bytes. */
function frame(message: Uint8Array): Buffer {
  const header = Buffer.alloc(5)
  header.writeUInt32BE(message.length, 1)
  return Buffer.concat([header, message])
}

const requestHeaders = (path: string): Record<string, string> => ({
  ':method': 'POST',
  ':path': path,
  'content-type': 'application/grpc',
  te: 'trailers',
})

describe('a server with callers that mean no good', () => {
  let fixture: StorageFixture
  let session: ClientHttp2Session
  let foreign: StorageClient
  beforeEach(async () => {
    fixture = new StorageFixture()
    await fixture.start()
    session = connect(`http://${fixture.server.address}`)
    session.on('error', () => undefined)
    foreign = new StorageClient(fixture.server.address, credentials.createInsecure(), {
      'grpc.max_send_message_length': -1,
    })
  })
  afterEach(async () => {
    session.destroy()
    foreign.close()
    await fixture.stop()
  })

  /** An upload whose server side tells how it ended: `complete`, or the error. */
  function observedUpload(): { ended: Promise<unknown>; began: Promise<void>; messages: () => number } {
    const ended = gate<unknown>()
    const began = gate()
    let messages = 0
    fixture.behaviour.upload = async (requests) => {
      try {
        for await (const _request of requests) {
          messages += 1
          began.open()
        }
        ended.open('complete')
      } catch (error) {
        ended.open(error)
        throw error
      }
      return noReceipts
    }
    return { ended: ended.opened, began: began.opened, messages: () => messages }
  }

  it('refuses a message of 100 MB, and goes on', async () => {
    fixture.behaviour.upload = async (messages) => {
      for await (const _message of messages);
      return noReceipts
    }
    fixture.behaviour.stat = () => Promise.resolve(absent)
    const before = process.memoryUsage().rss
    // The generated definition: its serializer makes one message of it without asking.
    const error = await failureOf(callClientStream(foreign, StorageService.upload, slices(Buffer.alloc(100_000_000))))
    expect(error.code).to.equal('invalid-argument')
    expect(error.message).to.contain(String(messageBytesMax))
    expect(process.memoryUsage().rss - before).to.be.lessThan(1_000_000_000)
    expect(await callUnary(fixture.client, stat, { packId }, { deadlineMs: 5000 })).to.include({ present: false })
  })

  it('refuses 100 MB in one unary request, and what unpacks to that', async () => {
    for (const algorithm of [0, 2] as const) {
      const client = new StorageClient(fixture.server.address, credentials.createInsecure(), {
        'grpc.default_compression_algorithm': algorithm,
      })
      const request = { packId: 'x'.repeat(100_000_000) }
      const error = await failureOf(callUnary(client, StorageService.stat, request, { deadlineMs: 20_000 }))
      expect(error.code).to.equal('invalid-argument')
      client.close()
    }
  })

  it('refuses bytes that are no message', async () => {
    fixture.behaviour.stat = () => Promise.resolve(absent)
    const stream = session.request(requestHeaders('/twofold.v1.Storage/Stat'))
    stream.end(frame(Buffer.alloc(50, 0xff)))
    const headers = await new Promise<Record<string, unknown>>((resolve) => stream.once('response', resolve))
    expect(headers['grpc-status']).not.to.equal('0')
    stream.close()
  })

  it('ends a stream whose caller sends nothing more', async () => {
    const { ended, began } = observedUpload()
    const stall = async function* (): AsyncGenerator<UploadRequest> {
      yield* slices(Buffer.alloc(10))
      await new Promise(() => undefined)
    }
    const work = failureOf(callClientStream(fixture.client, upload, stall()))
    await began
    let over = false
    void ended.then(() => (over = true))
    fixture.clock.advance(15_000)
    await fixture.clock.yield()
    expect(over).to.equal(false)
    await until(
      () => over,
      () => fixture.clock.advance(5_000),
    )
    expect(await ended).to.include({ code: 'deadline-exceeded' })
    expect(await work).to.include({ code: 'deadline-exceeded' })
    expect(fixture.clock.sleeping).to.equal(0)
  })

  it('does not count the time that the server itself takes', async () => {
    const slow = gate()
    const began = gate()
    fixture.behaviour.upload = async (messages) => {
      for await (const _message of messages) {
        began.open()
        await slow.opened
      }
      return noReceipts
    }
    const work = callClientStream(fixture.client, upload, slices(Buffer.alloc(10), Buffer.alloc(10)))
    await began.opened
    for (let turn = 0; turn < 10; turn++) {
      fixture.clock.advance(30_000)
      await fixture.clock.yield()
    }
    slow.open()
    expect(await work).to.deep.equal(noReceipts)
  })

  it('ends a stream whose caller stops reading', async () => {
    const stopped = gate<unknown>()
    let produced = 0
    fixture.behaviour.read = async function* (_request, { signal }) {
      signal.addEventListener('abort', () => stopped.open(signal.reason))
      for (;;) {
        produced += 1
        yield await Promise.resolve({ offset: 0n, data: Buffer.alloc(1 << 18) })
      }
    }
    const messages = callServerStream(fixture.client, read, { packId, ranges: [] })
    await messages.next()
    let before = 0
    await until(() => {
      const still = produced > 1 && produced === before
      before = produced
      return still
    })
    let over = false
    void stopped.opened.then(() => (over = true))
    await until(
      () => over,
      () => fixture.clock.advance(5_000),
    )
    expect(await stopped.opened).to.include({ code: 'deadline-exceeded' })
    // The HTTP/2 stream is gone as well, although the caller has not read what was on its way.
    const rest = async (): Promise<void> => {
      for await (const _message of messages);
    }
    expect(await failureOf(rest())).to.include({ code: 'unavailable' })
  })

  it('notices a caller that vanishes', async () => {
    const { ended, began } = observedUpload()
    const stream = session.request(requestHeaders('/twofold.v1.Storage/Upload'))
    stream.on('error', () => undefined)
    stream.write(frame(StorageService.upload.requestSerialize({ part: { $case: 'slice', value: Buffer.alloc(10) } })))
    await began
    session.destroy()
    expect(await ended).to.include({ code: 'cancelled' })
  })

  it('notices a caller whose connection is cut in the middle of a message', async () => {
    const { ended, began } = observedUpload()
    const stream = session.request(requestHeaders('/twofold.v1.Storage/Upload'))
    stream.on('error', () => undefined)
    const whole = frame(StorageService.upload.requestSerialize({ part: { $case: 'slice', value: Buffer.alloc(1000) } }))
    stream.write(Buffer.concat([whole, whole.subarray(0, 500)]))
    await began
    session.socket.destroy()
    expect(await ended).to.include({ code: 'cancelled' })
  })

  it('never takes a cancelled stream for a complete one', async () => {
    for (let turn = 0; turn < 100; turn++) {
      const { ended, began, messages } = observedUpload()
      const controller = new AbortController()
      const stall = async function* (): AsyncGenerator<UploadRequest> {
        yield* slices(Buffer.alloc(10), Buffer.alloc(10))
        await began
        for (let wait = 0; wait < turn % 5; wait++) await Promise.resolve()
        controller.abort()
        await new Promise(() => undefined)
      }
      const work = failureOf(callClientStream(fixture.client, upload, stall(), { signal: controller.signal }))
      expect(await work).to.include({ code: 'cancelled' })
      expect(await ended, `call ${turn} with ${messages()} messages`).to.include({ code: 'cancelled' })
    }
  })

  it('confirms the end of many streams at once', async () => {
    fixture.behaviour.upload = async (messages) => {
      for await (const _message of messages);
      return noReceipts
    }
    const work = Array.from({ length: 100 }, () => callClientStream(fixture.client, upload, slices(Buffer.alloc(10))))
    expect(await Promise.all(work)).to.have.length(100)
  })

  it('answers callers while others stall', async () => {
    fixture.behaviour.stat = () => Promise.resolve(absent)
    fixture.behaviour.read = async function* () {
      for (;;) yield await Promise.resolve({ offset: 0n, data: Buffer.alloc(1 << 18) })
    }
    const stalled = Array.from({ length: 20 }, () => callServerStream(foreign, read, { packId, ranges: [] }))
    await Promise.all(stalled.map((messages) => messages.next()))
    expect(await callUnary(fixture.client, stat, { packId }, { deadlineMs: 20_000 })).to.include({ present: false })
    await Promise.all(stalled.map((messages) => messages.return(undefined)))
  })

  it('sends no message over the limit', async () => {
    fixture.behaviour.read = async function* () {
      yield await Promise.resolve({ offset: 0n, data: Buffer.alloc(messageBytesMax + 1) })
    }
    const work = async (): Promise<void> => {
      for await (const _message of callServerStream(fixture.client, read, { packId, ranges: [] }));
    }
    expect(await failureOf(work())).to.be.instanceOf(TwofoldError)
  })
})
