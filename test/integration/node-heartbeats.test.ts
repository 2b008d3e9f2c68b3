import { expect } from 'chai'
import type { Heartbeat } from '../../src/core/messages.ts'
import { silentLogger } from '../../src/core/logger.ts'
import { HeartbeatResponse, ManagerService } from '../../src/gen/twofold/v1/manager.ts'
import { remoteManager } from '../../src/node/manager-remote.ts'
import { ChannelPool } from '../../src/rpc/channel.ts'
import { exchangeHandler, unaryHandler } from '../../src/rpc/handlers.ts'
import { startServer } from '../../src/rpc/server.ts'
import type { RunningServer, ServiceMount } from '../../src/rpc/server.ts'
import { PaperNode } from '../../bench/series/paper-node.ts'
import { expectError } from '../support/expect-error.ts'

describe('the heartbeats of a node', () => {
  let pool: ChannelPool
  let server: RunningServer | undefined
  beforeEach(() => {
    pool = new ChannelPool({ bulk: false })
  })
  afterEach(async () => {
    pool.close()
    await server?.drain(0)
  })

  async function start(service: ServiceMount): Promise<void> {
    const address = '127.0.0.1:0'
    server = await startServer({ address, services: [service], serving: () => true, logger: silentLogger })
  }
  const beat = async (): Promise<number> => {
    const heartbeat: Heartbeat = new PaperNode(1, 'test').heartbeat(1)
    return (await remoteManager(pool, [server?.address ?? '']).heartbeat(heartbeat)).managerTimeMs
  }

  it('are single calls where the manager knows nothing else', async () => {
    const heartbeat = unaryHandler(() => Promise.resolve(HeartbeatResponse.create({ managerTimeMs: 7n })))
    await start({ definition: { heartbeat: ManagerService.heartbeat }, implementation: { heartbeat } })
    expect(await beat()).to.equal(7)
  })

  it('are not taken for answered when there is nothing in the answer', async () => {
    const heartbeats = exchangeHandler(() => Promise.resolve({ heartbeat: undefined }))
    await start({ definition: { heartbeats: ManagerService.heartbeats }, implementation: { heartbeats } })
    await expectError(beat(), 'internal')
  })
})
