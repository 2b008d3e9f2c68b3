import { expect } from 'chai'
import { NodeLease } from '../../../src/node/node-lease.ts'
import { codeThrown } from '../../support/expect-error.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

describe('lease of a node', () => {
  let clock: VirtualClock
  let lease: NodeLease
  beforeEach(() => {
    clock = new VirtualClock()
    lease = new NodeLease(clock)
  })

  const answer = { leaseMs: 30_000, managerTimeMs: 5_000_000, epoch: 1 }

  it('is not held before the manager has answered', () => {
    expect(lease.held).to.equal(false)
    expect(codeThrown(() => lease.require())).to.equal('read-only')
    expect(codeThrown(() => lease.managerNowMs())).to.equal('read-only')
  })

  it('is held for as long as the manager said, from when the question was sent', () => {
    const sentAtMs = clock.monotonicMs()
    clock.advance(10_000)
    lease.renew(sentAtMs, answer)
    clock.advance(19_999)
    expect(lease.held).to.equal(true)
    lease.require()
    clock.advance(1)
    expect(lease.held).to.equal(false)
    expect(codeThrown(() => lease.require())).to.equal('read-only')
    lease.renew(clock.monotonicMs(), answer)
    expect(lease.held).to.equal(true)
  })

  it("follows the manager's time, whatever happens to the own wall clock", () => {
    lease.renew(clock.monotonicMs(), answer)
    clock.advance(1234)
    clock.setWall(0)
    expect(lease.managerNowMs()).to.equal(5_001_234)
    clock.setWall(9e12)
    clock.advance(40_000)
    expect(lease.managerNowMs()).to.equal(5_041_234)
    expect(lease.held).to.equal(false)
  })

  it("follows a manager's time that is set back", () => {
    lease.renew(clock.monotonicMs(), answer)
    lease.renew(clock.monotonicMs(), { ...answer, managerTimeMs: 1000 })
    expect(lease.managerNowMs()).to.equal(1000)
    expect(lease.held).to.equal(true)
  })

  it('is not renewed by a manager of an older epoch', () => {
    lease.renew(clock.monotonicMs(), { ...answer, epoch: 7 })
    expect(lease.epoch).to.equal(7)
    clock.advance(20_000)
    lease.renew(clock.monotonicMs(), { ...answer, epoch: 6, managerTimeMs: 1 })
    expect(lease.epoch).to.equal(7)
    expect(lease.managerNowMs()).to.equal(5_020_000)
    clock.advance(10_000)
    expect(lease.held).to.equal(false)
  })

  it('is lost for good once another process serves the store', () => {
    lease.renew(clock.monotonicMs(), answer)
    lease.fence()
    expect(lease.fenced).to.equal(true)
    lease.renew(clock.monotonicMs(), answer)
    expect(lease.held).to.equal(false)
    expect(codeThrown(() => lease.require())).to.equal('fenced')
  })
})
