import { expect } from 'chai'
import fc from 'fast-check'
import type { ScheduleSpec } from '../../../../src/core/schedules.ts'
import type { RunRow, ScheduleRow } from '../../../../src/manager/catalogue-schedules.ts'
import { judge, nextRunAt, planStarts, retryAt, triggerOf } from '../../../../src/manager/schedules/plan.ts'
import type { Capacity, Waiting } from '../../../../src/manager/schedules/plan.ts'

const minuteMs = 60_000

function schedule(more: Partial<ScheduleRow> = {}): ScheduleRow {
  const timing = { every: '15m', at: '', timeZone: '' }
  const spec = { agent: 'web1', path: Buffer.from('/srv'), timing } as unknown as ScheduleSpec
  return {
    ...{ scheduleId: '00000000', spec, paused: false, anchorMs: 0, createdAtMs: 0, changedAtMs: 0, nextRunAtMs: 0 },
    ...{ retrying: false, activeRun: 0, lastRun: 0, lastSuccessAtMs: 0, failures: 0, ...more },
  }
}

describe('the planner of schedules', () => {
  it('catches up what was missed by one run, however much that was', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10_000 }), fc.integer({ min: 0, max: 2 ** 32 - 1 }), (minutes, share) => {
        const row = schedule({ scheduleId: share.toString(16).padStart(8, '0') })
        const now = minutes * minuteMs
        const next = nextRunAt(row, now)
        expect(next).to.be.above(now)
        expect(next - now).to.be.at.most(15 * minuteMs + 90_000)
        // The same jitter every time: the times stay as far apart as they should.
        expect(nextRunAt(row, next)).to.equal(next + 15 * minuteMs)
      }),
    )
  })

  it('says why a run begins', () => {
    expect(triggerOf(schedule({ nextRunAtMs: 15 * minuteMs }), 16 * minuteMs)).to.equal('due')
    expect(triggerOf(schedule({ nextRunAtMs: 15 * minuteMs }), 30 * minuteMs)).to.equal('missed')
    expect(triggerOf(schedule({ nextRunAtMs: 15 * minuteMs, retrying: true }), 16 * minuteMs)).to.equal('retry')
  })

  it('tries again after a failure, three times', () => {
    expect([1, 2, 3, 4].map((failures) => retryAt(failures, 1000))).to.deep.equal([61_000, 241_000, 901_000, 0])
  })

  it('begins as many runs as may go on, in all and at each agent, in turns (property)', () => {
    const agents = fc.dictionary(
      fc.constantFrom('a', 'b', 'c', 'd'),
      fc.record({ runsMax: fc.integer({ min: 1, max: 4 }), running: fc.integer({ min: 0, max: 2 }) }),
    )
    const waiting = fc.array(fc.record({ agent: fc.constantFrom('a', 'b', 'c', 'd', 'away'), dueAtMs: fc.nat(50) }))
    fc.assert(
      fc.property(agents, waiting, fc.integer({ min: 0, max: 6 }), (capacity, runs, atOnce) => {
        const numbered: Waiting[] = runs.map((run, index) => ({ ...run, number: index + 1 }))
        const known = new Map<string, Capacity>(Object.entries(capacity))
        const begun = planStarts([...numbered], known, atOnce)
        const at = (agent: string): number => begun.filter((run) => run.agent === agent).length
        const running = [...known.values()].reduce((sum, each) => sum + each.running, 0)
        expect(new Set(begun).size).to.equal(begun.length)
        expect(begun.length).to.be.at.most(Math.max(0, atOnce - running))
        for (const [name, { runsMax, running: now }] of known) {
          expect(at(name)).to.be.at.most(Math.max(0, runsMax - now))
          const left = numbered.filter((run) => run.agent === name && !begun.includes(run))
          const full = now + at(name) >= runsMax
          // Whoever waits for a free place waits only because the others have no more than it has.
          if (left.length === 0 || full || at(name) > 0) continue
          expect(begun.length).to.equal(Math.max(0, atOnce - running))
          for (const [other, { running: others }] of known)
            if (at(other) > 1) expect(others + at(other)).to.be.at.most(now + 1)
        }
        expect(at('away')).to.equal(0)
      }),
      { numRuns: 300 },
    )
  })

  it('has the longest due run of an agent begin first', () => {
    const runs = [3, 1, 2].map((dueAtMs) => ({ number: 10 - dueAtMs, agent: 'a', dueAtMs }))
    const begun = planStarts(runs, new Map([['a', { runsMax: 2, running: 0 }]]))
    expect(begun.map(({ dueAtMs }) => dueAtMs)).to.deep.equal([1, 2])
  })
})

describe('the judgement of a schedule', () => {
  const here = { known: true, connected: true }
  const run = (state: RunRow['state'], dueAtMs: number): RunRow =>
    ({ state, dueAtMs, trigger: 'due', message: 'the disk is full' }) as unknown as RunRow

  it('calls a run overdue half the time between two runs after it was due', () => {
    const row = schedule({ activeRun: 1 })
    const look = (nowMs: number): boolean =>
      judge(row, { nowMs, agent: here, activeRun: run('queued', minuteMs), lastRun: undefined }).overdue
    expect(look(minuteMs + 7.5 * minuteMs)).to.equal(false)
    expect(look(minuteMs + 7.5 * minuteMs + 1)).to.equal(true)
  })

  it('calls a run that goes on overdue only when its agent is away', () => {
    const row = schedule({ activeRun: 1 })
    const around = { nowMs: 500 * minuteMs, activeRun: run('running', minuteMs), lastRun: undefined }
    expect(judge(row, { ...around, agent: here })).to.include({ overdue: false, state: 'running', problem: '' })
    const away = judge(row, { ...around, agent: { known: true, connected: false } })
    expect(away).to.include({ overdue: true })
    expect(away.problem).to.contain('agent web1 is away')
  })

  it('names what waits for an agent, what is paused, and what fails', () => {
    const around = { nowMs: 0, activeRun: undefined, lastRun: undefined, agent: { known: false, connected: false } }
    expect(judge(schedule(), around)).to.include({ state: 'waiting', overdue: false })
    expect(judge(schedule(), around).problem).to.contain('no agent "web1" has ever registered')
    expect(judge(schedule({ paused: true }), { ...around, agent: here })).to.include({ state: 'paused', problem: '' })
    const failing = judge(schedule({ failures: 2 }), { ...around, agent: here, lastRun: run('failed', 0) })
    expect(failing).to.include({ failing: true, state: 'idle' })
    expect(failing.problem).to.contain('the disk is full')
  })
})
