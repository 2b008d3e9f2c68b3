import { execFile } from 'node:child_process'
import { connect } from 'node:http2'
import type { Settings } from 'node:http2'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Server, ServerCredentials, credentials, makeGenericClientConstructor } from '@grpc/grpc-js'
import type { Client, MethodDefinition } from '@grpc/grpc-js'
import { expect } from 'chai'
import { service as healthService } from 'grpc-health-check'
import { flowControlWindowBytes } from '../../../src/core/limits.ts'
import { silentLogger } from '../../../src/core/logger.ts'
import { StorageBulkService } from '../../../src/rpc/bulk.ts'
import { callServerStream, callUnary } from '../../../src/rpc/calls.ts'
import { setStreamWindows, widenConnectionWindows } from '../../../src/rpc/server-window.ts'
import { startServer } from '../../../src/rpc/server.ts'
import type { ServerOptions } from '../../../src/rpc/server.ts'
import { StorageFixture, absent, failureOf, gate, noReceipts, until } from './storage-fixture.ts'

const run = promisify(execFile)
const buf = join(import.meta.dirname, '../../../node_modules/.bin/buf')
const { stat } = StorageBulkService
const packId = '0'.repeat(32)

const options = (address: string): ServerOptions => ({
  address,
  services: [],
  serving: () => true,
  logger: silentLogger,
})

interface Health {
  readonly status: string
}
type HealthMethod = MethodDefinition<{ service: string }, Health>
const HealthClient = makeGenericClientConstructor(healthService, 'grpc.health.v1.Health')
const check = healthService.Check as HealthMethod
const watch = healthService.Watch as HealthMethod

describe('a server', () => {
  let fixture: StorageFixture
  beforeEach(async () => {
    fixture = new StorageFixture()
    await fixture.start()
  })
  afterEach(() => fixture.stop())

  describe('where it listens', () => {
    for (const address of ['0.0.0.0:0', '10.0.0.1:7400', '[::]:0', 'example.org:7400']) {
      it(`refuses ${address}, and says why`, async () => {
        const error = await failureOf(startServer(options(address)))
        expect(error.code).to.equal('invalid-argument')
        expect(error.message).to.match(/no TLS.*--insecure/)
      })
    }

    it('takes any address when told so', async () => {
      const server = await startServer({ ...options('0.0.0.0:0'), insecure: true })
      expect(server.address).to.equal(`0.0.0.0:${server.port}`)
      await server.drain(0)
    })

    it('refuses what is no address, and one that is taken', async () => {
      expect(await failureOf(startServer(options('7400')))).to.include({ code: 'invalid-argument' })
      const error = await failureOf(startServer(options(fixture.server.address)))
      expect(error.code).to.equal('failed-precondition')
      expect(error.message).to.contain('in use')
    })
  })

  describe('its windows', () => {
    it('are wide for streams and connections', async () => {
      const server = new Server()
      setStreamWindows(server, flowControlWindowBytes)
      const port = await new Promise<number>((resolve) => {
        server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (_error, bound) => resolve(bound))
      })
      const effective = gate<number | undefined>()
      widenConnectionWindows(server, (opened) => effective.open(opened.state.effectiveLocalWindowSize))
      const session = connect(`http://127.0.0.1:${port}`)
      const settings = await new Promise<Settings>((resolve) => session.once('remoteSettings', resolve))
      expect(settings.initialWindowSize).to.equal(flowControlWindowBytes)
      expect(await effective.opened).to.equal(flowControlWindowBytes)
      session.destroy()
      server.forceShutdown()
    })

    it('are so in the server that we start', async () => {
      const session = connect(`http://${fixture.server.address}`)
      const settings = await new Promise<Settings>((resolve) => session.once('remoteSettings', resolve))
      expect(settings.initialWindowSize).to.equal(flowControlWindowBytes)
      await until(() => session.state.remoteWindowSize === flowControlWindowBytes)
      session.destroy()
    })
  })

  describe('health', () => {
    let client: Client
    beforeEach(() => {
      client = new HealthClient(fixture.server.address, credentials.createInsecure())
    })
    afterEach(() => client.close())
    const ask = (service: string): Promise<Health> => callUnary(client, check, { service }, { deadlineMs: 5000 })

    it('means what it says, for the whole server and for each service', async () => {
      for (const serving of [true, false, true]) {
        fixture.serving = serving
        const status = serving ? 'SERVING' : 'NOT_SERVING'
        expect(await ask('')).to.deep.equal({ status })
        expect(await ask('twofold.v1.Storage')).to.deep.equal({ status })
      }
    })

    it('does not know what is not here', async () => {
      expect(await failureOf(ask('twofold.v1.Nothing'))).to.include({ code: 'not-found' })
    })

    it('can be switched off', async () => {
      fixture.server.setServing(false)
      expect(await ask('')).to.deep.equal({ status: 'NOT_SERVING' })
    })

    it('can be watched', async () => {
      const changes = callServerStream(client, watch, { service: '' })
      expect((await changes.next()).value).to.deep.equal({ status: 'SERVING' })
      fixture.serving = false
      let status: unknown
      void changes.next().then((change) => {
        status = change.value
      })
      await until(
        () => status !== undefined,
        () => fixture.clock.advance(500),
      )
      expect(status).to.deep.equal({ status: 'NOT_SERVING' })
      await changes.return(undefined)
    })
  })

  describe('a foreign client that knows nothing but the address', () => {
    const curl = async (path: string, ...more: string[]): Promise<string> => {
      const url = `http://${fixture.server.address}${path}`
      const { stdout } = await run(buf, ['curl', '--protocol', 'grpc', '--http2-prior-knowledge', ...more, url])
      return stdout
    }

    for (const version of ['grpc-v1', 'grpc-v1alpha']) {
      it(`finds every service and method through reflection ${version}`, async () => {
        const methods = await curl('', '--reflect-protocol', version, '--list-methods')
        expect(methods).to.contain('twofold.v1.Storage/Upload').and.contain('grpc.health.v1.Health/Check')
        expect(methods).to.contain('grpc.channelz.v1.Channelz/GetServers')
        expect(methods).not.to.contain('twofold.v1.Manager')
      })
    }

    it('calls unary, client-streaming and server-streaming methods', async () => {
      fixture.behaviour.stat = (request) => Promise.resolve({ ...absent, incarnation: request.packId })
      fixture.behaviour.read = async function* () {
        for (const text of ['one', 'two']) yield await Promise.resolve({ offset: 1n, data: Buffer.from(text) })
      }
      let received = ''
      fixture.behaviour.upload = async (messages) => {
        for await (const { part } of messages)
          if (part?.$case === 'slice') received += Buffer.from(part.value).toString()
        return noReceipts
      }
      expect(JSON.parse(await curl('/twofold.v1.Storage/Stat', '-d', '{"pack_id":"abc"}'))).to.deep.equal({
        incarnation: 'abc',
      })
      expect(await curl('/twofold.v1.Storage/Read', '-d', '{}'))
        .to.contain('b25l')
        .and.contain('dHdv')
      await curl('/twofold.v1.Storage/Upload', '-d', '{"slice":"aGVs"}{"slice":"bG8="}')
      expect(received).to.equal('hello')
      expect(await curl('/grpc.health.v1.Health/Check', '-d', '{}')).to.contain('SERVING')
      expect(await curl('/grpc.channelz.v1.Channelz/GetServers', '-d', '{}')).to.contain('callsStarted')
    })
  })

  describe('draining', () => {
    it('waits for calls in progress, and takes no new ones', async () => {
      const asked = gate()
      const finish = gate()
      fixture.behaviour.stat = async () => {
        asked.open()
        await finish.opened
        return absent
      }
      const work = callUnary(fixture.client, stat, { packId }, { deadlineMs: 20_000 })
      await asked.opened
      const drained = fixture.server.drain(10_000)
      const refused = await failureOf(callUnary(fixture.client, stat, { packId }, { deadlineMs: 5000 }))
      expect(refused.code).to.equal('unavailable')
      finish.open()
      expect(await work).to.include({ present: false })
      await drained
    })

    it('breaks calls off that take too long, and tells their callers', async () => {
      const asked = gate()
      fixture.behaviour.stat = (_request, { signal }) =>
        new Promise((_resolve, reject) => {
          asked.open()
          signal.addEventListener('abort', () => reject(signal.reason as Error))
        })
      const work = failureOf(callUnary(fixture.client, stat, { packId }, { deadlineMs: 20_000 }))
      await asked.opened
      const drained = fixture.server.drain(1_000)
      fixture.clock.advance(1_000)
      await fixture.clock.yield()
      const error = await work
      expect(error).to.include({ code: 'unavailable', message: 'the server is shutting down' })
      await drained
    })

    it('ends even when a call never does', async () => {
      const asked = gate()
      fixture.behaviour.stat = () => {
        asked.open()
        return new Promise(() => undefined)
      }
      const work = failureOf(callUnary(fixture.client, stat, { packId }, { deadlineMs: 20_000 }))
      await asked.opened
      let drained = false
      void fixture.server.drain(1_000).then(() => (drained = true))
      await until(
        () => drained,
        () => fixture.clock.advance(500),
      )
      expect(await work).to.include({ code: 'unavailable' })
    })
  })
})
