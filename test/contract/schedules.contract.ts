import { expect } from 'chai'
import type { SnapshotId } from '../../src/core/ids.ts'
import { agentProcessesKept } from '../../src/core/schedule-limits.ts'
import { noSizes } from '../../src/core/schedules.ts'
import type { ScheduleSpec } from '../../src/core/schedules.ts'
import type { Catalogue } from '../../src/manager/catalogue.ts'
import type { RunRow, ScheduleRow, VersionRow } from '../../src/manager/catalogue-schedules.ts'
import { hex } from '../support/catalogue-rows.ts'
import type { CatalogueDriver } from './catalogue.contract.ts'

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'latin1'))

function spec(agent: string, path: string): ScheduleSpec {
  return {
    ...{ agent, path: bytes(path), vault: '', excludes: ['*.tmp'], excludeCaches: true, oneFileSystem: false },
    timing: { every: '15m', at: '', timeZone: '' },
    tags: ['a', 'b'],
    keep: {
      counts: { last: Infinity, daily: 7 },
      within: { all: { years: 1, months: 0, days: 2, hours: 0 } },
      tags: [['a']],
    },
    ...{ hookBefore: 'dump', hookAfter: '' },
  }
}

function schedule(number: number, agent: string, path: string, more: Partial<ScheduleRow> = {}): ScheduleRow {
  return {
    ...{ scheduleId: hex(number).slice(0, 32), spec: spec(agent, path), paused: false, retrying: false },
    ...{ anchorMs: 5, createdAtMs: 6, changedAtMs: 7, nextRunAtMs: 0, activeRun: 0, lastRun: 0 },
    ...{ lastSuccessAtMs: 0, failures: 0, ...more },
  }
}

function run(agent: string, path: string, more: Partial<RunRow> = {}): Omit<RunRow, 'number'> {
  return {
    ...{ scheduleId: 's', agent, path: bytes(path), state: 'queued', trigger: 'due', dueAtMs: 1, startedAtMs: 0 },
    ...{ endedAtMs: 0, durationMs: 0, serial: 0, snapshotId: '', sizes: { ...noSizes, files: 3 }, filesUnreadable: 0 },
    ...{ message: '', attempt: 0, registration: 0, cancelled: false, ...more },
  }
}

/** What the catalogue's contract says of schedules, on any driver. */
export function testSchedules(name: string, driver: CatalogueDriver): void {
  describe(`the catalogue contract of schedules, ${name}`, () => {
    let catalogue: Catalogue

    beforeEach(async () => {
      catalogue = await driver.open()
    })
    afterEach(() => catalogue.close())

    it('keeps schedules as they are, by id, by agent and path, and in the order of these', async () => {
      const rows = [
        schedule(3, 'web1', '/b'),
        schedule(2, 'web1', '/a\xff -1'),
        schedule(1, 'db', '/z', { paused: true, retrying: true, activeRun: 9, failures: 2 }),
      ]
      await catalogue.write(async (tx) => {
        for (const row of rows) await tx.schedules.put(row)
        await tx.schedules.put({ ...schedule(3, 'web1', '/b'), lastRun: 4 })
      })
      await catalogue.read(async (tx) => {
        expect(await tx.schedules.find(hex(1).slice(0, 32))).to.deep.equal(rows[2])
        const paths = async (agent: string, after?: ScheduleRow): Promise<string[]> => {
          const page = await tx.schedules.page({ agent, after: after?.spec, limit: 2 })
          return page.map((row) => `${row.spec.agent}:${Buffer.from(row.spec.path).toString('latin1')}`)
        }
        expect(await paths('')).to.deep.equal(['db:/z', 'web1:/a\xff -1'])
        expect(await paths('', rows[1])).to.deep.equal(['web1:/b'])
        expect(await paths('web1')).to.deep.equal(['web1:/a\xff -1', 'web1:/b'])
        expect((await tx.schedules.ofSeries({ agent: 'web1', path: bytes('/b') }))?.lastRun).to.equal(4)
        expect(await tx.schedules.ofSeries({ agent: 'web1', path: bytes('/z') })).to.equal(undefined)
        expect(await tx.schedules.byPrefix(hex(2).slice(0, 32), 5)).to.have.length(1)
        expect(await tx.schedules.byPrefix('0', 2)).to.have.length(2)
        expect(await tx.schedules.count()).to.equal(3)
        expect([...(await tx.schedules.countByAgent())].sort()).to.deep.equal([
          ['db', 1],
          ['web1', 2],
        ])
      })
      await catalogue.write((tx) => tx.schedules.remove(hex(1).slice(0, 32)))
      expect(await catalogue.read((tx) => tx.schedules.count())).to.equal(2)
    })

    it('finds those that are due and have no run', async () => {
      await catalogue.write(async (tx) => {
        await tx.schedules.put(schedule(1, 'a', '/1', { nextRunAtMs: 30 }))
        await tx.schedules.put(schedule(2, 'a', '/2', { nextRunAtMs: 20 }))
        await tx.schedules.put(schedule(3, 'a', '/3', { nextRunAtMs: 10, activeRun: 1 }))
        await tx.schedules.put(schedule(4, 'a', '/4'))
        await tx.schedules.put(schedule(5, 'a', '/5', { nextRunAtMs: 31 }))
      })
      const due = await catalogue.read((tx) => tx.schedules.due(30, 5))
      expect(due.map((row) => row.nextRunAtMs)).to.deep.equal([20, 30])
      expect(await catalogue.read((tx) => tx.schedules.due(30, 1))).to.have.length(1)
    })

    it('gives runs numbers that grow, and knows which wait or go on', async () => {
      await catalogue.write(async (tx) => {
        expect(await tx.runs.add(run('a', '/1', { dueAtMs: 9 }))).to.equal(1)
        expect(await tx.runs.add(run('a', '/2', { dueAtMs: 8, state: 'running', scheduleId: 't' }))).to.equal(2)
        expect(await tx.runs.add(run('b', '/1', { dueAtMs: 7 }))).to.equal(3)
        expect(await tx.runs.add(run('a', '/1', { state: 'saved' }))).to.equal(4)
      })
      await catalogue.read(async (tx) => {
        const numbers = (rows: RunRow[]): number[] => rows.map(({ number }) => number)
        expect(numbers(await tx.runs.active('a'))).to.deep.equal([2, 1])
        expect(numbers(await tx.runs.queued(9))).to.deep.equal([3, 1])
        expect([...(await tx.runs.runningByAgent())]).to.deep.equal([['a', 1]])
        const page = { before: 9, limit: 9 }
        expect(numbers(await tx.runs.page(page))).to.deep.equal([4, 3, 2, 1])
        expect(numbers(await tx.runs.page({ ...page, before: 4, limit: 2 }))).to.deep.equal([3, 2])
        expect(numbers(await tx.runs.page({ ...page, agent: 'a' }))).to.deep.equal([4, 2, 1])
        expect(numbers(await tx.runs.page({ ...page, agent: 'a', path: bytes('/1') }))).to.deep.equal([4, 1])
        expect(numbers(await tx.runs.page({ ...page, scheduleId: 't' }))).to.deep.equal([2])
      })
      const changed = { ...run('a', '/1', { state: 'failed', message: 'no', cancelled: true, attempt: 3 }), number: 1 }
      await catalogue.write((tx) => tx.runs.update(changed))
      expect(await catalogue.read((tx) => tx.runs.find(1))).to.deep.equal(changed)
    })

    it('forgets old runs of a path, but none that waits or goes on', async () => {
      await catalogue.write(async (tx) => {
        await tx.runs.add(run('a', '/1', { state: 'running' }))
        for (let count = 0; count < 4; count++) await tx.runs.add(run('a', '/1', { state: 'saved' }))
        await tx.runs.add(run('a', '/2', { state: 'saved' }))
        await tx.runs.trim({ agent: 'a', path: bytes('/1') }, 2)
      })
      const left = await catalogue.read((tx) => tx.runs.page({ before: 99, limit: 99 }))
      expect(left.map(({ number }) => number)).to.deep.equal([6, 5, 4, 1])
      expect(await catalogue.write((tx) => tx.runs.add(run('a', '/1')))).to.equal(7)
    })

    it('keeps the versions of each path under their serial numbers', async () => {
      const version = (path: string, serial: number): VersionRow => {
        const rest = { madeAtMs: serial, checkedAtMs: serial, runNumber: serial, bytes: 10 }
        return { agent: 'a', path: bytes(path), serial, snapshotId: hex(serial) as SnapshotId, ...rest }
      }
      const series = { agent: 'a', path: bytes('/1') }
      await catalogue.write(async (tx) => {
        expect(await tx.versions.newest(series)).to.equal(undefined)
        for (const serial of [1, 2, 3]) await tx.versions.add(version('/1', serial))
        await tx.versions.add(version('/2', 1))
        await tx.versions.checked(series, 3, 77)
      })
      await catalogue.read(async (tx) => {
        expect(await tx.versions.newest(series)).to.deep.equal({ ...version('/1', 3), checkedAtMs: 77 })
        expect((await tx.versions.page(series, 3, 9)).map(({ serial }) => serial)).to.deep.equal([2, 1])
        expect(await tx.versions.page(series, 9, 1)).to.have.length(1)
      })
    })

    it('remembers a bounded number of the processes of an agent', async () => {
      const about = { allow: [], hooks: [], runsMax: 2, hostName: 'h', programVersion: '1' }
      const put = (instanceId: string, registrationNumber: number): Promise<void> =>
        catalogue.write((tx) => tx.agents.put({ name: 'web1', instanceId, registrationNumber, ...about }))
      await put('one', 1)
      await put('two', 2)
      await put('newest', agentProcessesKept + 1)
      await catalogue.read(async (tx) => {
        expect(await tx.agents.instance('one')).to.equal(undefined)
        expect(await tx.agents.instance('two')).to.include({ registrationNumber: 2 })
      })
    })

    it('knows agents, and every process that ever was one', async () => {
      const agent = (instanceId: string, registrationNumber: number): Parameters<typeof put>[0] => {
        const about = { allow: [bytes('/srv'), bytes('/\xff')], hooks: ['dump'], runsMax: 2 }
        return { name: 'web1', instanceId, registrationNumber, ...about, hostName: 'h', programVersion: '1' }
      }
      const put = (
        row: Parameters<Parameters<Parameters<Catalogue['write']>[0]>[0]['agents']['put']>[0],
      ): Promise<void> => catalogue.write((tx) => tx.agents.put(row))
      await put(agent('one', 1))
      await put(agent('two', 2))
      await catalogue.read(async (tx) => {
        expect(await tx.agents.find('web1')).to.deep.equal(agent('two', 2))
        expect(await tx.agents.all()).to.have.length(1)
        expect(await tx.agents.instance('one')).to.include({ name: 'web1', registrationNumber: 1 })
        expect(await tx.agents.instance('three')).to.equal(undefined)
        expect(await tx.agents.find('web2')).to.equal(undefined)
      })
      await put({ ...agent('three', 3), name: 'web2' })
      await catalogue.write((tx) => tx.agents.remove('web1'))
      await catalogue.read(async (tx) => {
        expect((await tx.agents.all()).map(({ name }) => name)).to.deep.equal(['web2'])
        expect(await tx.agents.instance('two')).to.equal(undefined)
        expect(await tx.agents.instance('three')).to.include({ name: 'web2' })
      })
    })
  })
}
