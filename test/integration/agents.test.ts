import { expect } from 'chai'
import { Agent } from '../../src/agent/agent.ts'
import type { AgentHost, HookResult } from '../../src/agent/agent-host.ts'
import { isBelow } from '../../src/agent/allowed-path.ts'
import { Client } from '../../src/client/client.ts'
import { silentLogger } from '../../src/core/logger.ts'
import { TwofoldError } from '../../src/core/errors.ts'
import { randomHexId } from '../../src/core/ids.ts'
import { routineOperationsKept } from '../../src/core/request-limits.ts'
import { runsKept } from '../../src/core/schedule-limits.ts'
import type { Schedule, ScheduleRun, ScheduleSpec } from '../../src/core/schedules.ts'
import type { Catalogue } from '../../src/manager/catalogue.ts'
import { inlineCodec } from '../../src/format/codec.ts'
import { openSqliteCatalogue } from '../../src/manager/catalogue-sqlite.ts'
import { Manager } from '../../src/manager/manager.ts'
import { LogFacts } from '../../src/manager/recovery/log-facts.ts'
import { AutoClock } from '../support/auto-clock.ts'
import { expectError } from '../support/expect-error.ts'
import { MemorySource } from '../support/memory-source.ts'
import { NodeCluster } from '../support/node-cluster.ts'

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text))
const minuteMs = 60_000

/** A machine whose symbolic links and hooks are what a test says. */
class PaperHost implements AgentHost {
  readonly source = new MemorySource()
  readonly links = new Map<string, string>()
  readonly ran: { command: string; environment: Readonly<Record<string, string>> }[] = []
  hookResult: HookResult = { exitCode: 0, output: '', timedOut: false }

  async realPath(path: Uint8Array): Promise<Uint8Array> {
    const text = Buffer.from(path).toString()
    const link = [...this.links].find(([from]) => isBelow(bytes(from), path))
    const real = link === undefined ? text : `${link[1]}${text.slice(link[0].length)}`
    if (real.includes('missing')) throw new TwofoldError('not-found', `there is no ${text}`)
    return bytes(real)
  }

  openSource(): MemorySource {
    return this.source
  }

  async runHook(command: string, { environment }: Parameters<AgentHost['runHook']>[1]): Promise<HookResult> {
    this.ran.push({ command, environment })
    return this.hookResult
  }
}

describe('agents and schedules', () => {
  let clock: AutoClock
  let catalogue: Catalogue
  let cluster: NodeCluster
  let host: PaperHost
  let client: Client
  const { signal } = new AbortController()

  beforeEach(async () => {
    clock = new AutoClock()
    catalogue = openSqliteCatalogue(':memory:')
    cluster = await NodeCluster.start(['n1', 'n2'], { clock, catalogue })
    host = new PaperHost()
    host.source.file('/srv/site/index.html', bytes('hello'))
    client = newClient()
  })

  function newClient(): Client {
    const { random } = cluster
    return new Client({
      ...cluster.clientPorts,
      ...{ clock, random, logger: silentLogger, codec: inlineCodec, clientId: randomHexId<string>(random) },
      ...{ hostName: 'h', userName: 'u', program: 'test', close: () => undefined },
    })
  }

  function newAgent(name = 'web1', more: Partial<ConstructorParameters<typeof Agent>[0]> = {}): Agent {
    const about = { hooks: new Map([['dump', 'pg_dump']]), runsMax: 2, hostName: 'box', programVersion: '1' }
    const ports = { client, host, clock, random: cluster.random, logger: silentLogger }
    return new Agent({ ...ports, ...about, name, allow: [bytes('/srv')], ...more })
  }

  function spec(more: Partial<ScheduleSpec> = {}): ScheduleSpec {
    return {
      ...{
        agent: 'web1',
        path: bytes('/srv/site'),
        vault: '',
        excludes: [],
        excludeCaches: false,
        oneFileSystem: false,
      },
      ...{ timing: { every: '15m', at: '', timeZone: '' }, tags: ['t'], hookBefore: '', hookAfter: '' },
      keep: { counts: {}, within: {}, tags: [] },
      ...more,
    }
  }

  /** Lets the manager plan and the agent work until nothing is active any more. */
  async function settle(agent: Agent): Promise<ScheduleRun[]> {
    for (let turn = 0; turn < 200; turn++) {
      await cluster.manager.scheduling.step()
      await agent.beat(signal)
      for (let yields = 0; yields < 20; yields++) await clock.yield()
      const { items } = await client.schedules.runsPage()
      if (turn > 2 && items.every(({ state }) => state !== 'queued' && state !== 'running')) return [...items]
    }
    throw new Error('the runs do not end')
  }

  const show = (runs: readonly ScheduleRun[]): string[] =>
    runs.map(({ state, serial, trigger }) => `${state} ${serial} ${trigger}`)

  async function only(): Promise<Schedule> {
    for await (const schedule of client.schedules.list()) return schedule
    throw new Error('there is no schedule')
  }

  it('give a serial number to every content that is another one, and to nothing else', async () => {
    const agent = newAgent()
    await client.schedules.add(spec())
    expect(show(await settle(agent))).to.deep.equal(['saved 1 due'])
    const snapshots = await Array.fromAsync(client.snapshots())
    expect(snapshots).to.have.length(1)
    expect(snapshots[0]?.manifest).to.deep.include({ host: 'web1', tags: ['t'] })
    clock.advance(17 * minuteMs)
    expect(show(await settle(agent))).to.deep.equal(['unchanged 1 due', 'saved 1 due'])
    // Another folder beside it, which changes the time of the one above: not what is backed up.
    host.source.file('/srv/other/file', bytes('x'))
    clock.advance(17 * minuteMs)
    expect(show(await settle(agent))[0]).to.equal('unchanged 1 due')
    host.source.file('/srv/site/index.html', bytes('changed'))
    clock.advance(17 * minuteMs)
    expect(show(await settle(agent))[0]).to.equal('saved 2 due')
    expect(await Array.fromAsync(client.snapshots())).to.have.length(2)
    const versions = await Array.fromAsync(client.schedules.versions(spec()))
    expect(versions.map(({ serial, kept }) => ({ serial, kept }))).to.deep.equal([
      { serial: 2, kept: true },
      { serial: 1, kept: true },
    ])
    expect(versions[1]?.checkedAtMs).to.be.above(versions[1]?.madeAtMs ?? 0)
    expect(await only()).to.include({ newestSerial: 2, failing: false, overdue: false, state: 'idle' })
  })

  it('fill neither the history nor the list of runs by finding nothing new', async () => {
    const agent = newAgent()
    await client.schedules.add(spec())
    await settle(agent)
    const rest = {
      timeMs: 1,
      actor: 'a',
      subject: 's',
      result: 'ok',
      detail: '',
      snapshotId: '',
      durationMs: 0,
    } as const
    await catalogue.write(async (tx) => {
      for (let count = 0; count <= routineOperationsKept; count++) await tx.operations.add({ kind: 'backup', ...rest })
      const [run] = await tx.runs.page({ before: 99, limit: 1 })
      for (let count = 0; count <= runsKept && run !== undefined; count++) await tx.runs.add({ ...run, agent: 'web1' })
    })
    const counts = async (): Promise<number[]> => {
      return catalogue.read(async (tx) => {
        const operations = await tx.operations.page({ kind: 'backup', before: 1e9, limit: 1e6 })
        const runs = await tx.runs.page({ before: 1e9, limit: 1e6 })
        const made = operations.filter(({ snapshotId }) => snapshotId !== '')
        return [operations.length - made.length, made.length, runs.length]
      })
    }
    expect(await counts()).to.deep.equal([routineOperationsKept + 1, 1, runsKept + 2])
    clock.advance(17 * minuteMs)
    await settle(agent)
    // What made a snapshot is older than all of these, and stays.
    expect(await counts()).to.deep.equal([routineOperationsKept, 1, runsKept])
  })

  it('compare contents and metadata, not what no restore brings back', async () => {
    const agent = newAgent()
    await client.schedules.add(spec())
    await settle(agent)
    // As after a copy that keeps times, in the place of the file: another inode, another time of change.
    const file = host.source.node('/srv/site/index.html')
    file.inode += 1000n
    file.ctimeNs += 5n
    clock.advance(17 * minuteMs)
    expect(show(await settle(agent))[0]).to.equal('unchanged 1 due')
    file.content = bytes('HELLO')
    file.ctimeNs += 5n
    clock.advance(17 * minuteMs)
    expect(show(await settle(agent))[0]).to.equal('saved 2 due')
    file.mode = 0o600
    file.ctimeNs += 5n
    clock.advance(17 * minuteMs)
    expect(show(await settle(agent))[0]).to.equal('saved 3 due')
  })

  it('catch up what was missed once, by one run', async () => {
    const agent = newAgent()
    await client.schedules.add(spec())
    await settle(agent)
    clock.advance(24 * 60 * minuteMs)
    expect(await only()).to.include({ overdue: true })
    const runs = await settle(agent)
    expect(show(runs)).to.deep.equal(['unchanged 1 missed', 'saved 1 due'])
    expect(runs[0]?.dueAtMs).to.be.below(clock.nowMs() - 23 * 60 * minuteMs)
    expect((await only()).nextRunAtMs).to.be.above(clock.nowMs())
  })

  it('do not run again what was due already when somebody asked for it', async () => {
    const agent = newAgent()
    await agent.beat(signal)
    await client.schedules.add(spec())
    // Before the manager has come to it by itself.
    expect((await client.schedules.run('web1:/srv/site')).begun).to.equal(true)
    expect(show(await settle(agent))).to.deep.equal(['saved 1 manual'])
    clock.advance(17 * minuteMs)
    expect(show(await settle(agent))).to.deep.equal(['unchanged 1 due', 'saved 1 manual'])
    const { nextRunAtMs } = await only()
    await client.schedules.run('web1:/srv/site')
    expect(show(await settle(agent))[0]).to.equal('unchanged 1 manual')
    expect((await only()).nextRunAtMs).to.equal(nextRunAtMs)
  })

  it('leave out what ignore files say, as a backup by hand does', async () => {
    host.source.file('/srv/site/.twofoldignore', bytes('*.tmp\n'))
    host.source.file('/srv/site/draft.tmp', bytes('x'))
    await client.schedules.add(spec())
    const [run] = await settle(newAgent())
    expect(run).to.include({ state: 'saved' })
    expect(run?.sizes.files).to.equal(2)
    expect(host.source.reads).to.not.include('/srv/site/draft.tmp')
  })

  it('back up nothing outside of what the agent allows, whoever asks, and not through links', async () => {
    const agent = newAgent()
    host.source.file('/etc/shadow', bytes('secret'))
    host.links.set('/srv/trick', '/etc')
    for (const path of ['/etc', '/srv/trick', '/srvx', '/', '/missing/outside']) {
      await client.schedules.add(spec({ path: bytes(path), timing: { every: '', at: 'yearly', timeZone: '' } }))
      await client.schedules.run(`web1:${path}`)
    }
    const runs = await settle(agent)
    expect(runs.map(({ state }) => state)).to.deep.equal(runs.map(() => 'refused'))
    expect(runs[0]?.message).to.contain('does not lie below what this agent allows (/srv)')
    expect(host.source.reads).to.deep.equal([])
    expect(await Array.fromAsync(client.snapshots())).to.have.length(0)
  })

  it('follow links that stay inside, and say so of what is not there', async () => {
    const agent = newAgent('web1', { allow: [bytes('/data')] })
    host.links.set('/data', '/disk7/data')
    host.source.file('/disk7/data/a', bytes('a'))
    await client.schedules.add(spec({ path: bytes('/data') }))
    expect(show(await settle(agent))).to.deep.equal(['saved 1 due'])
    await client.schedules.add(spec({ path: bytes('/data/missing') }))
    const [run] = await settle(agent)
    expect(run).to.include({ state: 'failed' })
    expect(run?.message).to.contain('there is no /data/missing')
    const failing = await client.schedules.get('web1:/data/missing')
    expect(failing).to.include({ failing: true, failures: 1 })
    expect(failing.nextRunAtMs).to.equal((run?.endedAtMs ?? 0) + minuteMs)
  })

  it('run hooks that the agent has, and no others', async () => {
    const agent = newAgent()
    await client.schedules.add(spec({ hookBefore: 'dump', hookAfter: 'dump' }))
    await settle(agent)
    expect(host.ran.map(({ command, environment }) => [command, environment['TWOFOLD_RESULT']])).to.deep.equal([
      ['pg_dump', ''],
      ['pg_dump', 'saved'],
    ])
    host.hookResult = { exitCode: 3, output: 'no database\n', timedOut: false }
    await client.schedules.run('web1:/srv/site')
    expect((await settle(agent))[0]).to.include({
      state: 'failed',
      message: 'the hook "dump" ended with 3: no database',
    })
    await client.schedules.edit('web1:/srv/site', { ...(await only()).spec, hookBefore: 'evil' })
    await client.schedules.run('web1:/srv/site')
    const [refused] = await settle(agent)
    expect(refused).to.include({ state: 'refused' })
    expect(refused?.message).to.contain('it has dump')
    const line = spec({ path: bytes('/srv/x'), hookBefore: 'rm -rf /' })
    await expectError(client.schedules.add(line), 'invalid-argument')
  })

  it('have one agent of a name at a time; another waits until the first is gone', async () => {
    await client.schedules.add(spec())
    const first = newAgent()
    await settle(first)
    const second = newAgent()
    await second.beat(signal)
    expect((await client.schedules.agents())[0]).to.include({ connected: true, hostName: 'box' })
    clock.advance(5000)
    await first.beat(signal)
    clock.advance(9000)
    await second.beat(signal)
    clock.advance(8000)
    await first.beat(signal)
    await expectError(second.beat(signal), 'already-exists')
    // The first one dies; then the name is free, and what it was can never come back.
    clock.advance(11_000)
    const third = newAgent()
    await third.beat(signal)
    await expectError(first.beat(signal), 'fenced')
  })

  it('begin a run anew that an agent did not finish, under the same number', async () => {
    const ref = { name: 'web1', instanceId: 'a'.repeat(32) }
    const about = { allow: [bytes('/srv')], hooks: [], runsMax: 1, hostName: 'box', programVersion: '' }
    const { registrationNumber } = await client.agents.registerAgent({ ...ref, ...about, timeMs: clock.nowMs() })
    const poll = { ...ref, registrationNumber, timeMs: clock.nowMs(), running: [], leaving: false }
    await client.agents.poll(poll)
    await client.schedules.add(spec())
    await cluster.manager.scheduling.step()
    const { start } = await client.agents.poll(poll)
    expect(start.map(({ number, attempt }) => [number, attempt])).to.deep.equal([[1, 1]])
    // Whoever did not hear it is told again, and nobody ever hears of that one again.
    expect((await client.agents.poll(poll)).start).to.deep.equal(start)
    clock.advance(11_000)
    const runs = await settle(newAgent())
    expect(show(runs)).to.deep.equal(['saved 1 due'])
    expect(runs[0]).to.include({ number: 1, attempt: 2 })
    // What the first one had to say came too late.
    const sizes = { files: 0, bytes: 0, filesNew: 0, filesChanged: 0, readBytes: 0, newBytes: 0, storedBytes: 0 }
    const late = { ...ref, registrationNumber, number: 1, attempt: 1, state: 'failed' as const, snapshotId: '', sizes }
    await expectError(client.agents.reportRun({ ...late, filesUnreadable: 0, message: '', durationMs: 1 }), 'fenced')
    expect(show([...(await client.schedules.runsPage()).items])).to.deep.equal(['saved 1 due'])
  })

  it('begin nothing while the cluster is being shut down, and do not fail by it', async () => {
    const agent = newAgent()
    await client.schedules.add(spec())
    const shutDown = { actor: 'a', dryRun: false, now: false }
    // A backup that runs is waited for: the nodes are not stopped meanwhile.
    const about = { vault: '', host: 'h', user: 'u', paths: [bytes('/x')], fileName: '', parent: '', noParent: true }
    await cluster.manager.beginBackup({ ...about, clientId: 'c', requestId: 'r' })
    await cluster.manager.nodeAdmin.shutDown({ ...shutDown, cancel: false })
    for (let turn = 0; turn < 5; turn++) {
      await cluster.manager.scheduling.step()
      await agent.beat(signal)
    }
    expect((await client.schedules.runsPage()).items.map(({ state }) => state)).to.deep.equal(['queued'])
    expect(await only()).to.include({ state: 'queued', failing: false })
    await cluster.manager.nodeAdmin.shutDown({ ...shutDown, cancel: true })
    expect(show(await settle(agent))).to.deep.equal(['saved 1 due'])
  })

  it('are forgotten once nothing needs them, and are new ones when they come back', async () => {
    const agent = newAgent()
    const { scheduleId } = await client.schedules.add(spec())
    await settle(agent)
    await expectError(client.schedules.removeAgent('web2'), 'not-found')
    expect((await expectError(client.schedules.removeAgent('web1'), 'failed-precondition')).message).to.contain(
      'has a schedule: "twofold schedule list --agent web1"',
    )
    // One that never came is none: what waits for it is removed instead.
    await client.schedules.add(spec({ agent: 'web3' }))
    await expectError(client.schedules.removeAgent('web3'), 'failed-precondition')
    await client.schedules.remove('web3:/srv/site')
    await client.schedules.run(scheduleId)
    await cluster.manager.scheduling.step()
    await agent.beat(signal)
    await client.schedules.remove(scheduleId)
    const there = await expectError(client.schedules.removeAgent('web1'), 'failed-precondition')
    expect(there.message).to.contain('agent web1 is there on box')
    clock.advance(11_000)
    const request = { agent: 'web1', actor: 'a', requestId: 'again' }
    const removed = await cluster.manager.scheduling.schedules.removeAgent(request)
    expect(removed).to.deep.include({ name: 'web1', connected: false, hostName: 'box', allow: [bytes('/srv')] })
    // The answer is kept: a repeated request is none for a later agent of that name.
    expect(await cluster.manager.scheduling.schedules.removeAgent(request)).to.deep.equal(removed)
    expect(await client.schedules.agents()).to.deep.equal([])
    const [run] = (await client.schedules.runsPage()).items
    expect(run).to.include({ state: 'cancelled', message: 'its agent was removed' })
    expect(await Array.fromAsync(client.schedules.versions(spec()))).to.have.length(1)
    host.source.file('/srv/site/new', bytes('x'))
    await client.schedules.add(spec())
    expect(show(await settle(agent))[0]).to.equal('saved 2 due')
    expect((await client.schedules.agents())[0]).to.include({ connected: true })
  })

  it('survive a restart of the manager, on the same catalogue', async () => {
    const agent = newAgent()
    await client.schedules.add(spec())
    await settle(agent)
    const { random } = cluster
    cluster.manager = await Manager.open({ catalogue, clock, random, logger: silentLogger })
    await cluster.beatAll()
    expect((await client.schedules.agents())[0]).to.include({ connected: false, known: true })
    clock.advance(17 * minuteMs)
    expect(show(await settle(agent))).to.deep.equal(['unchanged 1 due', 'saved 1 due'])
  })

  it('are not added with a time that nobody can read, or too often, whoever asks', async () => {
    const add = (every: string, at: string): Promise<Schedule> =>
      client.schedules.add(spec({ timing: { every, at, timeZone: '' } }))
    const { fields, message } = await expectError(add('', 'mon..fry 02:30'), 'invalid-argument')
    expect(fields).to.include({ position: '5' })
    expect(message).to.contain('"mon..fry 02:30"').and.to.contain('fry')
    expect((await expectError(add('0s', ''), 'invalid-argument')).message).to.contain('at least 10s apart')
    expect(await Array.fromAsync(client.schedules.list())).to.deep.equal([])
  })

  it('wait for an agent that was never seen, and begin when it comes', async () => {
    expect(await client.schedules.add(spec())).to.include({ state: 'waiting' })
    clock.advance(3 * 60 * minuteMs)
    await cluster.manager.scheduling.step()
    const summary = await client.schedules.summary()
    expect(summary).to.include({ schedules: 1, waiting: 1, overdue: 1, agents: 0 })
    expect(summary.attention[0]?.problem).to.contain('no agent "web1" has ever registered')
    expect((await client.schedules.agents())[0]).to.include({ name: 'web1', known: false, schedules: 1 })
    expect(show(await settle(newAgent()))).to.deep.equal(['saved 1 missed'])
  })

  it('go by the time of the manager where the clock of the agent is off', async () => {
    const agent = newAgent('web1', {
      clock: {
        nowMs: () => clock.nowMs() + 60 * minuteMs,
        monotonicMs: () => clock.monotonicMs(),
        sleep: (ms, given) => clock.sleep(ms, given),
        yield: () => clock.yield(),
      },
    })
    await client.schedules.add(spec())
    await settle(agent)
    expect((await client.schedules.agents())[0]?.clockAheadMs).to.be.closeTo(3_600_000, 1000)
    const [snapshot] = await Array.fromAsync(client.snapshots())
    expect(Number((snapshot?.manifest.timeNs ?? 0n) / 1_000_000n)).to.be.closeTo(clock.nowMs(), 60_000)
  })

  it('are paused, resumed, cancelled and removed, and keep their serial numbers', async () => {
    const agent = newAgent()
    await client.schedules.add(spec())
    await settle(agent)
    await client.schedules.pause('web1:/srv/site')
    clock.advance(60 * minuteMs)
    expect(show(await settle(agent))).to.have.length(1)
    expect(await only()).to.include({ state: 'paused', nextRunAtMs: 0 })
    await client.schedules.resume('web1:/srv/site')
    expect(show(await settle(agent))).to.have.length(1)
    const { run, begun } = await client.schedules.run('web1:/srv/site')
    expect(begun).to.equal(true)
    expect((await client.schedules.run('web1:/srv/site')).begun).to.equal(false)
    expect(await client.schedules.cancel(run.number)).to.include({ state: 'cancelled' })
    const { scheduleId } = await only()
    await client.schedules.remove(scheduleId.slice(0, 6))
    await expectError(client.schedules.get(scheduleId), 'not-found')
    host.source.file('/srv/site/new', bytes('x'))
    await client.schedules.add(spec())
    expect(show(await settle(agent))[0]).to.equal('saved 2 due')
    await expectError(client.schedules.add(spec()), 'already-exists')
  })

  it('keep what their policy says, and always the newest', async () => {
    const agent = newAgent()
    await client.schedules.add(spec({ keep: { counts: { last: 2 }, within: {}, tags: [] } }))
    for (let version = 1; version <= 4; version++) {
      host.source.file('/srv/site/index.html', bytes(`version ${version}`))
      await settle(agent)
      clock.advance(17 * minuteMs)
    }
    const versions = await Array.fromAsync(client.schedules.versions(spec()))
    expect(versions.map(({ serial, kept }) => `${serial} ${kept}`)).to.deep.equal([
      '4 true',
      '3 true',
      '2 false',
      '1 false',
    ])
    expect(await Array.fromAsync(client.snapshots())).to.have.length(2)
  })

  it('keep the newest version even if their policy keeps nothing', async () => {
    const agent = newAgent()
    await client.schedules.add(spec({ keep: { counts: {}, within: {}, tags: [['nobody has it']] } }))
    await settle(agent)
    host.source.file('/srv/site/index.html', bytes('version 2'))
    clock.advance(17 * minuteMs)
    await settle(agent)
    const versions = await Array.fromAsync(client.schedules.versions(spec()))
    expect(versions.map(({ serial, kept }) => `${serial} ${kept}`)).to.deep.equal(['2 true', '1 false'])
  })

  it('are in the log with all that cannot be recomputed, and come back from it', async () => {
    const agent = newAgent()
    const kept = await client.schedules.add(
      spec({ path: bytes('/srv/site'), keep: { counts: { last: Infinity }, within: {}, tags: [] } }),
    )
    await client.schedules.add(spec({ path: bytes('/srv/gone') }))
    await client.schedules.remove('web1:/srv/gone')
    await settle(agent)
    const facts = new LogFacts()
    for (const row of await catalogue.read((tx) => tx.log.after(0, 1000))) facts.take(row)
    expect([...facts.unknown.keys()]).to.deep.equal([])
    const empty = openSqliteCatalogue(':memory:')
    await empty.write((tx) => facts.scheduling.write(tx))
    await empty.read(async (tx) => {
      expect(await tx.schedules.count()).to.equal(1)
      const row = await tx.schedules.find(kept.scheduleId)
      expect(row?.spec).to.deep.equal(kept.spec)
      expect(row?.nextRunAtMs).to.be.above(0)
      const was = await catalogue.read((old) => old.versions.newest(spec()))
      expect(await tx.versions.newest(spec())).to.deep.equal({ ...was, checkedAtMs: was?.madeAtMs, runNumber: 0 })
    })
    await empty.close()
  })
})
