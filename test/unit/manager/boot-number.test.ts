import { expect } from 'chai'
import type { Incarnation } from '../../../src/core/ids.ts'
import { knownBootNumber, rolledBackFrom } from '../../../src/core/rolled-back.ts'
import { expectError } from '../../support/expect-error.ts'
import { PaperCluster, PaperNode } from './cluster-fixture.ts'

const boot = (bootNumber: number, letter: string) => ({ bootNumber, bootId: letter.repeat(32) })

describe('starts of a node', () => {
  let cluster: PaperCluster
  let node: PaperNode

  beforeEach(async () => {
    cluster = await PaperCluster.start(1)
    node = new PaperNode(cluster, { name: 'n9' })
    await node.register(boot(1, 'a'))
  })

  it('follow each other: a held-up registration of a process that is gone ends nobody', async () => {
    // The second process never got an answer, for its registration was held up; the third one lives.
    const { registrationNumber } = await node.register(boot(3, 'c'))
    await node.heartbeat()
    const late = new PaperNode(cluster, { ...node.request, name: 'n9' })
    const error = await expectError(late.register(boot(2, 'b')), 'failed-precondition')
    expect(error.message).to.contain('start 2 of node n9 was followed by start 3')
    expect((await node.heartbeat()).state).to.equal('up')
    expect((await node.register(boot(3, 'c'))).registrationNumber).to.equal(registrationNumber)
  })

  it('count over all lives of a store: nor does one of an earlier life take the present one its copies', async () => {
    const earlier = node.incarnation
    node.incarnation = '7'.repeat(32) as Incarnation
    await node.register(boot(3, 'c'))
    node.incarnation = earlier
    await expectError(node.register(boot(2, 'b')), 'failed-precondition')
    node.incarnation = '7'.repeat(32) as Incarnation
    await node.register(boot(3, 'c'))
    expect((await node.heartbeat()).state).to.equal('up')
  })

  it('that went back say that the disk was rolled back, and a new life above the known one goes on', async () => {
    await node.register(boot(5, 'e'))
    const error = await expectError(node.register(boot(3, 'f')), 'failed-precondition')
    expect([rolledBackFrom(error), knownBootNumber(error)]).to.deep.equal([0, 5])
    node.incarnation = '8'.repeat(32) as Incarnation
    await node.register(boot(6, 'f'))
    expect((await node.heartbeat()).state).to.equal('up')
  })

  it('need not be counted, and are remembered when they are not', async () => {
    await node.register(boot(4, 'd'))
    await node.register({ bootId: 'e'.repeat(32) })
    await expectError(node.register(boot(3, 'f')), 'failed-precondition')
    await node.register(boot(4, '9'))
  })
})
