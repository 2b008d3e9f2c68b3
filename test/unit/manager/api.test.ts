import { expect } from 'chai'
import type { ManagerApi as ClientApi } from '../../../src/client/manager-api.ts'
import type { ManagerApi as NodeApi } from '../../../src/node/manager-api.ts'
import { PaperCluster } from './cluster-fixture.ts'

describe('the manager', () => {
  it('is what nodes and clients expect of one', async () => {
    const { manager } = await PaperCluster.start(0)
    const forNodes: NodeApi = manager
    const forClients: ClientApi = manager
    expect(forNodes).to.equal(forClients)
  })

  it('does nothing for a caller that gave up', async () => {
    const { manager } = await PaperCluster.start(0)
    const outcome = await manager.listNodes({ signal: AbortSignal.abort() }).catch((error: Error) => error.name)
    expect(outcome).to.equal('AbortError')
  })
})
