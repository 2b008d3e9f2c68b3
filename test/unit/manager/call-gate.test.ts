import { expect } from 'chai'
import { CallGate } from '../../../src/manager/call-gate.ts'
import { lookupIdsMax, managerPatienceMs } from '../../../src/core/limits.ts'
import { expectError } from '../../support/expect-error.ts'
import { AutoClock } from '../../support/auto-clock.ts'
import { PaperCluster, chunk } from './cluster-fixture.ts'

describe('gate of the manager', () => {
  it('has only so much work done at once, in the order of arrival, and refuses who waits too long', async () => {
    const clock = new AutoClock()
    const gate = new CallGate(clock, { work: 100, reports: 1 })
    const begun: string[] = []
    const ends: (() => void)[] = []
    const work = (name: string) => (): Promise<string> => {
      begun.push(name)
      return new Promise((resolve) => ends.push(() => resolve(name)))
    }
    const first = gate.run(60, undefined, work('a'))
    const second = gate.run(60, undefined, work('b'))
    const third = gate.run(10, undefined, work('c'))
    for (let turn = 0; turn < 3; turn++) await clock.yield()
    expect(begun).to.deep.equal(['a'])
    ends.shift()?.()
    expect(await first).to.equal('a')
    for (let turn = 0; turn < 3; turn++) await clock.yield()
    expect(begun).to.deep.equal(['a', 'b', 'c'])
    const refusal = await expectError(gate.run(60, undefined, work('d')), 'overloaded')
    expect(clock.monotonicMs()).to.equal(managerPatienceMs)
    expect(refusal.retryAfterMs).to.be.greaterThan(0)
    for (const end of ends) end()
    await Promise.all([second, third])
    const failing = (): Promise<never> => Promise.reject(new Error('broken'))
    expect(await gate.run(100, undefined, failing).catch((error: Error) => error.message)).to.equal('broken')
    expect(await gate.run(100, undefined, () => Promise.resolve('free'))).to.equal('free')
  })
})

describe('a manager with many long look-ups', () => {
  it('lets leases and heartbeats go first', async () => {
    const cluster = await PaperCluster.start(2)
    const session = await cluster.begin()
    const { manager, nodes } = cluster
    const ids = Array.from({ length: lookupIdsMax }, (_, n) => chunk(`nobody has ${n}`).chunkId)
    let answered = 0
    const lookups = Array.from({ length: 40 }, () => manager.lookupChunks(session, ids).then(() => (answered += 1)))
    await Promise.all([manager.renewSession(session), nodes[0]?.heartbeat(), nodes[1]?.register()])
    expect(answered).to.be.at.most(4)
    await Promise.all(lookups)
    expect(answered).to.equal(40)
  })
})
