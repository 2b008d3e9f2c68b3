import { expect } from 'chai'
import type { PackId } from '../../../src/core/ids.ts'
import { WritesInProgress } from '../../../src/node/writes-in-progress.ts'
import { expectError } from '../../support/expect-error.ts'
import { hex, packId } from './node-fixture.ts'

describe('writes in progress', () => {
  let writes: WritesInProgress
  beforeEach(() => (writes = new WritesInProgress()))

  /** A stream that leaves when it is told to, as one that rolls back first would. */
  async function stream(generation: number, id = packId): Promise<{ stopped: AbortSignal; leave: () => void }> {
    const controller = new AbortController()
    const leave = await writes.enter(id, generation, controller)
    return { stopped: controller.signal, leave }
  }

  /** Whether `work` is over once everything that can go on has gone on. */
  async function isOver(work: Promise<unknown>): Promise<boolean> {
    let over = false
    const mark = (): void => void (over = true)
    work.then(mark, mark)
    for (let turn = 0; turn < 20; turn++) await Promise.resolve()
    return over
  }

  it('are counted, until they leave', async () => {
    const one = await stream(1)
    const two = await stream(1, hex<PackId>('b'))
    expect(writes.size).to.equal(2)
    one.leave()
    one.leave()
    expect(writes.size).to.equal(1)
    two.leave()
    expect(writes.size).to.equal(0)
  })

  it('are one for a pack: a second of the same or an older generation is refused', async () => {
    const { stopped } = await stream(2)
    const error = await expectError(stream(2), 'fenced')
    expect(error.message).to.contain('generation 2')
    await expectError(stream(1), 'fenced')
    expect(stopped.aborted).to.equal(false)
  })

  it('give way to a newer generation, which waits until they are gone', async () => {
    const old = await stream(1)
    const newer = stream(2)
    expect(await isOver(newer)).to.equal(false)
    expect(old.stopped.reason).to.include({ code: 'fenced' })
    old.leave()
    await newer
    expect(writes.size).to.equal(1)
    old.leave()
    expect(writes.size, 'a late goodbye takes nobody else along').to.equal(1)
    await expectError(stream(2), 'fenced')
  })

  it('let only the newest of several in that wait', async () => {
    const old = await stream(1)
    const waiting = [stream(2), stream(3), stream(4)]
    const settled = Promise.allSettled(waiting)
    const leaveWhenTold = ({ stopped, leave }: { stopped: AbortSignal; leave: () => void }): void => {
      if (stopped.aborted) leave()
      else stopped.addEventListener('abort', leave)
    }
    for (const next of waiting) next.then(leaveWhenTold, () => undefined)
    old.leave()
    const outcomes = await settled
    const entered = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
    expect(entered.filter(({ stopped }) => !stopped.aborted)).to.have.length(1)
    expect(outcomes[2]?.status).to.equal('fulfilled')
    expect(writes.size).to.equal(1)
    await expectError(stream(4), 'fenced')
  })

  it('are broken off when their pack is given up, and refused from then on', async () => {
    const { stopped, leave } = await stream(2)
    const barred = writes.bar(packId, 2)
    expect(stopped.reason).to.include({ code: 'fenced' })
    expect(await isOver(barred)).to.equal(false)
    leave()
    expect(await barred).to.equal(true)
    await expectError(stream(1), 'fenced')
    await expectError(stream(2), 'fenced')
    await stream(3)
  })

  it('go on when only an older generation was given up', async () => {
    const { stopped } = await stream(3)
    expect(await writes.bar(packId, 2)).to.equal(false)
    expect(stopped.aborted).to.equal(false)
  })

  it('stay refused when an older order comes late', async () => {
    await writes.bar(packId, 3)
    await writes.bar(packId, 1)
    await expectError(stream(2), 'fenced')
    await expectError(stream(3), 'fenced')
  })

  it('are refused when their pack is given up while they wait for an older stream to leave', async () => {
    const old = await stream(1)
    const newer = stream(2)
    const refused = expectError(newer, 'fenced')
    const barred = writes.bar(packId, 2)
    old.leave()
    expect(await barred).to.equal(true)
    await refused
    expect(writes.size).to.equal(0)
  })

  it('remember only so many packs that were given up, the latest of them', async () => {
    const id = (number: number): PackId => number.toString(16).padStart(32, '0') as PackId
    for (let number = 0; number < 10_000; number++) await writes.bar(id(number), 1)
    await writes.bar(id(0), 1)
    await writes.bar(id(10_000), 1)
    await expectError(stream(1, id(0)), 'fenced')
    await expectError(stream(1, id(10_000)), 'fenced')
    await expectError(stream(1, id(2)), 'fenced')
    await stream(1, id(1))
  })
})
