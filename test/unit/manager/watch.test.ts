import { expect } from 'chai'
import type { ClusterEvent, WatchedEvent } from '../../../src/core/cluster-events.ts'
import { eventsKeptMax, observeIntervalMs, watchAliveMs, watchersMax } from '../../../src/core/limits.ts'
import type { RepairActivity } from '../../../src/core/model.ts'
import { EventFeed } from '../../../src/manager/event-feed.ts'
import { defaultTiming } from '../../../src/manager/timing.ts'
import { expectError } from '../../support/expect-error.ts'
import { SeededRandom } from '../../support/seeded-random.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'
import { systemClock } from '../../../src/system/clock.ts'
import { PaperCluster } from './cluster-fixture.ts'
import type { PaperNode } from './cluster-fixture.ts'

const anEvent = (n: number): ClusterEvent => ({ kind: 'node', timeMs: n, node: `n${n}`, before: '', after: 'up' })

async function next(events: AsyncIterator<WatchedEvent>): Promise<WatchedEvent> {
  return (await events.next()).value as WatchedEvent
}

describe('the feed of events', () => {
  let clock: VirtualClock
  let feed: EventFeed

  beforeEach(() => {
    clock = new VirtualClock()
    feed = new EventFeed(clock, new SeededRandom(1))
  })

  it('tells what happens from now on, and goes on where one was', async () => {
    feed.add(anEvent(1))
    const events = feed.watch('')
    expect(await next(events)).to.include({ event: undefined, gap: false })
    feed.add(anEvent(2))
    feed.add(anEvent(3))
    const second = await next(events)
    expect(second.event).to.deep.equal(anEvent(2))
    await events.return(undefined)
    const later = feed.watch(second.resumeToken)
    expect((await next(later)).gap).to.equal(false)
    expect((await next(later)).event).to.deep.equal(anEvent(3))
    const waiting = next(later)
    feed.add(anEvent(4))
    expect((await waiting).event).to.deep.equal(anEvent(4))
    await later.return(undefined)
  })

  it('says that it is alive when nothing happens, and ends when it is told to', async () => {
    const controller = new AbortController()
    const events = feed.watch('', controller.signal)
    await next(events)
    const alive = next(events)
    await Promise.resolve()
    clock.advance(watchAliveMs)
    expect(await alive).to.include({ event: undefined, gap: false })
    const last = events.next()
    controller.abort(new Error('enough'))
    expect(await last.catch((error: unknown) => (error as Error).message)).to.equal('enough')
    expect(clock.sleeping).to.equal(0)
  })

  it('tells of a gap whoever is too slow, comes too late, or was told by another life', async () => {
    const slow = feed.watch('')
    const { resumeToken } = await next(slow)
    for (let n = 1; n <= eventsKeptMax + 5; n++) feed.add(anEvent(n))
    const first = await next(slow)
    expect(first.gap).to.equal(true)
    expect(first.event).to.deep.equal(anEvent(6))
    expect((await next(slow)).gap).to.equal(false)
    expect((await next(feed.watch(resumeToken))).gap).to.equal(true)
    const other = new EventFeed(clock, new SeededRandom(2))
    expect((await next(other.watch(first.resumeToken))).gap).to.equal(true)
    await expectError(next(feed.watch('nonsense')), 'invalid-argument')
  })

  it('has a bounded number of watchers, and forgets those that leave', async () => {
    const all = Array.from({ length: watchersMax }, () => feed.watch(''))
    for (const events of all) await next(events)
    await expectError(next(feed.watch('')), 'overloaded')
    await all[0]!.return(undefined)
    expect((await next(feed.watch(''))).gap).to.equal(false)
  })
})

describe('watching a cluster', () => {
  it('tells of nodes, of what was done, of copies and of repair, and of nothing twice', async () => {
    let activity: RepairActivity = 'none'
    const cluster = await PaperCluster.start(2, { repair: { activity: () => activity } })
    const { manager, clock } = cluster
    const controller = new AbortController()
    const seen: string[] = []
    const watch = async (): Promise<void> => {
      for await (const { event } of manager.watchCluster('', controller))
        if (event !== undefined) seen.push(text(event))
    }
    const watching = watch().catch(() => undefined)
    const look = async (silent: readonly PaperNode[] = []): Promise<string[]> => {
      clock.advance(observeIntervalMs)
      await cluster.heartbeatAll(silent)
      while (await manager.sweep());
      for (let turn = 0; turn < 5; turn++) await systemClock.yield()
      return seen.splice(0)
    }
    expect(await look(), 'what was before is not told').to.deep.equal([])
    await cluster.backup(['a'])
    expect(await look()).to.deep.equal(['backup ok'])
    const [one] = cluster.nodes
    clock.advance(defaultTiming.deadAfterMs)
    expect(await look([one!])).to.deep.equal(['n1: up > dead', 'snapshot: 2/2 > 1/2 degraded'])
    activity = 'running'
    expect(await look([one!])).to.deep.equal(['repair: none > running', 'snapshot: 1/2 degraded > 1/2 repairing'])
    expect(await look([one!])).to.deep.equal([])
    expect(await look()).to.deep.equal(['n1: dead > up', 'snapshot: 1/2 repairing > 2/2'])
    controller.abort()
    clock.advance(watchAliveMs)
    await watching
  })
})

function text(event: ClusterEvent): string {
  if (event.kind === 'operation') return `${event.operation.kind} ${event.operation.result}`
  const subject = event.kind === 'node' ? event.node : event.kind === 'durability' ? 'snapshot' : 'repair'
  return `${subject}: ${event.before} > ${event.after}`
}
