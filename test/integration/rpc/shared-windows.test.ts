import { connect } from 'node:http2'
import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2'
import { expect } from 'chai'
import { flowControlWindowBytes, flowControlWindowBytesMin, streamWindowsBytes } from '../../../src/core/limits.ts'
import { StorageFixture, noReceipts, until } from './storage-fixture.ts'

const whole = flowControlWindowBytes
const least = flowControlWindowBytesMin
/** As many streams as can have whole windows. */
const few = streamWindowsBytes / whole

describe('a server whose streams share windows', () => {
  let fixture: StorageFixture
  let sessions: ClientHttp2Session[]
  beforeEach(async () => {
    fixture = new StorageFixture()
    await fixture.start({ sharedWindows: true })
    sessions = []
  })
  afterEach(async () => {
    for (const session of sessions) session.destroy()
    await fixture.stop()
  })

  function open(): ClientHttp2Session {
    const session = connect(`http://${fixture.server.address}`)
    sessions.push(session)
    return session
  }

  function begin(session: ClientHttp2Session): ClientHttp2Stream {
    const path = '/twofold.v1.Storage/Upload'
    const head = { ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' }
    const stream = session.request(head)
    stream.on('error', () => undefined)
    return stream
  }

  const windowOf = (session: ClientHttp2Session): number | undefined => session.remoteSettings?.initialWindowSize

  /** Takes what is sent, when it may. */
  function receive(mayTake: Promise<void>): void {
    fixture.behaviour.upload = async (messages) => {
      await mayTake
      for await (const _ of messages);
      return noReceipts
    }
  }

  it('gives a connection its share when streams begin, and the least when there are none', async () => {
    receive(Promise.resolve())
    const session = open()
    await until(() => windowOf(session) === least)
    const stream = begin(session)
    await until(() => windowOf(session) === whole)
    stream.close()
    await until(() => windowOf(session) === least)
  })

  it('gives less to all when there are many, on all connections, and more again when they are over', async () => {
    receive(Promise.resolve())
    const [one, other] = [open(), open()]
    const first = Array.from({ length: few }, () => begin(one))
    await until(() => windowOf(one) === whole)
    const more = Array.from({ length: 3 * few }, () => begin(other))
    await until(() => [one, other].every((session) => windowOf(session) === whole / 4))
    for (const stream of more.slice(1)) stream.close()
    for (const stream of first.slice(1)) stream.close()
    await until(() => [one, other].every((session) => windowOf(session) === whole))
  })

  it('takes everything of streams whose windows shrank below what was sent already', async () => {
    const { promise: mayTake, resolve: take } = Promise.withResolvers<void>()
    receive(mayTake)
    const session = open()
    const frame = Buffer.concat([Buffer.from([0, 0, 1, 0, 4, 0x12, 0x80, 0x80, 0x04]), Buffer.alloc(65_536)])
    const first = begin(session)
    await until(() => windowOf(session) === whole)
    const bytes = Buffer.concat(Array.from({ length: 100 }, () => frame))
    first.end(bytes)
    await until(() => session.state.outboundQueueSize === 0 && (first.state.localWindowSize ?? 0) <= whole)
    const more = Array.from({ length: 8 * few }, () => begin(session))
    await until(() => windowOf(session) === whole / 16)
    take()
    const status = await new Promise((resolve) => first.on('headers', resolve).on('response', resolve))
    expect(status).to.have.property(':status', 200)
    for (const stream of more) stream.close()
  })
})
