import type { handleBidiStreamingCall } from '@grpc/grpc-js'
import { expect } from 'chai'
import { TwofoldError } from '../../../src/core/errors.ts'
import { silentLogger } from '../../../src/core/logger.ts'
import {
  HeartbeatRequest,
  HeartbeatResponse,
  HeartbeatsRequest,
  HeartbeatsResponse,
  ManagerClient,
  ManagerService,
} from '../../../src/gen/twofold/v1/manager.ts'
import { callUnary } from '../../../src/rpc/calls.ts'
import { ChannelPool } from '../../../src/rpc/channel.ts'
import { Exchange } from '../../../src/rpc/exchange.ts'
import { exchangeHandler } from '../../../src/rpc/handlers.ts'
import type { CallContext } from '../../../src/rpc/handlers.ts'
import { startServer } from '../../../src/rpc/server.ts'
import type { RunningServer } from '../../../src/rpc/server.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'
import { failureOf, gate, until } from './storage-fixture.ts'

const method = ManagerService.heartbeats
const idleMs = 30_000

type Handle = (sequence: number, context: CallContext) => Promise<number>

const request = (sequence: number): HeartbeatsRequest =>
  HeartbeatsRequest.create({ heartbeat: HeartbeatRequest.create({ sequence: BigInt(sequence) }) })
const response = (managerTimeMs: number): HeartbeatsResponse =>
  HeartbeatsResponse.create({ heartbeat: HeartbeatResponse.create({ managerTimeMs: BigInt(managerTimeMs) }) })
const timeIn = ({ heartbeat }: HeartbeatsResponse): number => Number(heartbeat?.managerTimeMs)

describe('an exchange', () => {
  /** The server's time. */
  let clock: VirtualClock
  let server: RunningServer
  let pool: ChannelPool
  let handle: Handle
  /** The streams that the server has seen. */
  let streams: Set<CallContext>

  const start = async (heartbeats: handleBidiStreamingCall<HeartbeatsRequest, HeartbeatsResponse>): Promise<void> => {
    server = await startServer({
      address: '127.0.0.1:0',
      services: [{ definition: { heartbeats: method }, implementation: { heartbeats } }],
      serving: () => true,
      logger: silentLogger,
      clock,
      idleMs,
    })
  }
  const client = (): ManagerClient => pool.client(ManagerClient, server.address)
  const open = (deadlineMs = 20_000): ((sequence: number, signal?: AbortSignal) => Promise<number>) => {
    const exchange = new Exchange({ method, deadlineMs })
    return async (sequence, signal) => timeIn(await exchange.ask(client(), request(sequence), signal))
  }

  beforeEach(async () => {
    clock = new VirtualClock()
    pool = new ChannelPool({ bulk: false })
    streams = new Set()
    handle = (sequence) => Promise.resolve(sequence * 2)
    await start(
      exchangeHandler(async ({ heartbeat }, context) => {
        streams.add(context)
        return response(await handle(Number(heartbeat?.sequence), context))
      }),
    )
  })
  afterEach(async () => {
    pool.close()
    await server.drain(0)
  })

  it('brings each question its answer, all over one stream', async () => {
    const ask = open()
    for (const sequence of [1, 2, 3]) expect(await ask(sequence)).to.equal(sequence * 2)
    expect(streams.size).to.equal(1)
  })

  it('brings an expected error whole, and goes on with another stream', async () => {
    const ask = open()
    await ask(1)
    handle = () => Promise.reject(new TwofoldError('not-registered', 'register first', { fields: { node: 'n1' } }))
    expect(await failureOf(ask(2))).to.deep.include({ code: 'not-registered', fields: { node: 'n1' } })
    handle = (sequence) => Promise.resolve(sequence)
    expect(await ask(3)).to.equal(3)
    expect(streams.size).to.equal(2)
  })

  it('does not wait for ever, tells the server so, and takes no late answer for another one', async () => {
    const ask = open(100)
    const late = gate<number>()
    handle = () => late.opened
    const error = await failureOf(ask(1))
    expect(error.code).to.equal('deadline-exceeded')
    expect(error.message).to.equal(`${server.address} did not answer for 100 ms`)
    const [first] = streams
    await until(() => first?.signal.aborted === true)
    handle = (sequence) => Promise.resolve(sequence)
    late.open(77)
    expect(await ask(2)).to.equal(2)
  })

  it('ends when the signal of the question that waits is aborted, on both sides', async () => {
    const ask = open()
    const controller = new AbortController()
    handle = () => {
      controller.abort()
      return new Promise(() => undefined)
    }
    expect(await failureOf(ask(1, controller.signal))).to.include({ code: 'cancelled' })
    const [first] = streams
    await until(() => first?.signal.aborted === true)
    expect(await failureOf(ask(2, controller.signal)), 'before it is sent').to.include({ code: 'cancelled' })
    expect(streams.size).to.equal(1)
  })

  it('ends when the signal of the last question is aborted', async () => {
    const ask = open()
    const controllers = [new AbortController(), new AbortController()]
    for (const [at, { signal }] of controllers.entries()) await ask(at, signal)
    controllers[0]?.abort()
    await ask(2, controllers[1]?.signal)
    expect(streams.size, 'the first was answered long ago').to.equal(1)
    controllers[1]?.abort()
    await ask(3)
    expect(streams.size).to.equal(2)
  })

  it('begins anew after the server got tired of a stream on which nothing came', async () => {
    const ask = open()
    await ask(1)
    const [first] = streams
    await until(
      () => first?.signal.aborted === true,
      () => clock.advance(idleMs),
    )
    // The end may still be under way: then the question meets it, and the next one does not.
    await ask(2).catch((error: unknown) => expect(error).to.include({ code: 'deadline-exceeded' }))
    expect(await ask(3)).to.equal(6)
    expect(streams.size).to.equal(2)
  })

  it('does not keep a server from shutting down', async () => {
    const ask = open()
    await ask(1)
    await server.drain(3_600_000)
    expect(await failureOf(ask(2))).to.include({ code: 'unavailable' })
  })

  it('answers who asks once, by a call with one request', async () => {
    const once = { ...method, requestStream: false, responseStream: false } as const
    expect(timeIn(await callUnary(client(), once, request(4), { deadlineMs: 20_000 }))).to.equal(8)
  })

  it('says when the server ends the stream without a word', async () => {
    await server.drain(0)
    await start((call) => void call.on('data', () => call.end()))
    const error = await failureOf(open()(1))
    expect(error).to.include({ code: 'unavailable', message: `${server.address} ended the stream` })
  })
})
