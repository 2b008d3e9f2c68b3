import { expect } from 'chai'
import { Agent } from '../../../src/agent/agent.ts'
import type { AgentHost } from '../../../src/agent/agent-host.ts'
import { TwofoldError } from '../../../src/core/errors.ts'
import { silentLogger } from '../../../src/core/logger.ts'
import type { ScheduleSpec } from '../../../src/core/schedules.ts'
import { keys } from '../../support/fake-tty.ts'
import type { FakeTty } from '../../support/fake-tty.ts'
import { createTuiFixture } from '../../support/tui-fixture.ts'
import type { TuiFixture } from '../../support/tui-fixture.ts'

const minuteMs = 60_000
const clear = '\x15'
const save = '\x13'
const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text))

function spec(path: string, more: Partial<ScheduleSpec> = {}): ScheduleSpec {
  return {
    ...{ agent: 'web1', path: bytes(path), vault: '', excludes: [], excludeCaches: false, oneFileSystem: false },
    ...{ timing: { every: '15m', at: '', timeZone: '' }, tags: [], hookBefore: '', hookAfter: '' },
    keep: { counts: { daily: 7 }, within: {}, tags: [] },
    ...more,
  }
}

describe('the screen of schedules', () => {
  let fixture: TuiFixture
  beforeEach(async () => (fixture = await createTuiFixture()))
  afterEach(() => fixture.end())

  async function open(): Promise<FakeTty> {
    const { tty } = fixture.open()
    await tty.sees('● connected')
    tty.type('6')
    await tty.sees('Schedules', 'a add')
    return tty
  }

  /** Types into a form, field after field, as a person does who reads. */
  async function answer(tty: FakeTty, text: string, wanted: string | RegExp): Promise<void> {
    tty.type(`${clear}${text}`)
    tty.type(keys.enter)
    await tty.sees(wanted)
  }

  /** Lets an agent do what it is asked, until nothing is left to do. */
  function newAgent(): () => Promise<void> {
    const { client, clock, cluster, source } = fixture
    const { random } = cluster
    const host: AgentHost = {
      realPath: (path) => Promise.resolve(path),
      openSource: () => source,
      runHook: () => Promise.resolve({ exitCode: 0, output: '', timedOut: false }),
    }
    const about = { hooks: new Map<string, string>(), runsMax: 2, hostName: 'box', programVersion: '1' }
    const ports = { client, host, clock, random, logger: silentLogger }
    const agent = new Agent({ ...ports, ...about, name: 'web1', allow: [bytes('/src')] })
    const { signal } = new AbortController()
    return async () => {
      for (let turn = 0; turn < 200; turn++) {
        await cluster.manager.scheduling.step()
        await agent.beat(signal)
        for (let yields = 0; yields < 20; yields++) await clock.yield()
        if (turn > 2 && (await client.schedules.summary()).running === 0) return
      }
      throw new Error('the runs do not end')
    }
  }

  it('asks again for what cannot be, with the reason, and where', async () => {
    const tty = await open()
    await tty.sees('There are no schedules yet')
    tty.type('a')
    await tty.sees('A new schedule', 'No agent has registered yet')
    await answer(tty, '', 'Whose folder?')
    await answer(tty, 'web9', '> Path')
    await answer(tty, 'srv/site', 'The path begins with a slash, not "srv/site"')
    await answer(tty, '/srv/site', '> When')
    await answer(tty, '', 'When? For example')
    await answer(tty, 'every 0s', 'runs are at least 10s')
    await answer(tty, 'every 5 parsecs', /at character \d/)
    await answer(tty, ' mon..fry 02:30', 'at character 6: "fry" cannot be read')
    // Below the character that is meant.
    expect(tty.screen.lines().find((line) => /^ +\^$/.test(line))).to.equal(`${' '.repeat(13 + 1 + 5)}^`)
    await answer(tty, 'mon..fri 02:30', '> Time zone  UTC')
    await answer(tty, 'Mars/Base', 'there is no time zone "Mars/Base"')
    await answer(tty, 'Europe/Berlin', '> Leave out')
    await answer(tty, '*.tmp, cache/', '> Tags')
    tty.type(save)
    await tty.sees('Add it all the same?', 'No agent "web9" has registered: none has yet.')
    tty.type('n')
    await tty.sees('> Agent', 'No agent "web9" has registered: none has yet. Type another one.')
    tty.type(`${clear}we b`)
    tty.type(save)
    await tty.sees('Add it all the same?')
    tty.type('y')
    await tty.sees('"we b" is no name')
    tty.type(`${clear}web9`)
    tty.type(save)
    await tty.sees('Add it all the same?')
    tty.type('y')
    await tty.sees(/^> web9 +\/srv\/site +mon\.\.fri 02:30… +waiting +in/m, 'waiting for an agent')
    const [added] = await Array.fromAsync(fixture.client.schedules.list())
    expect(added?.spec).to.deep.include({
      ...{ agent: 'web9', excludes: ['*.tmp', 'cache/'] },
      timing: { every: '', at: 'mon..fri 02:30', timeZone: 'Europe/Berlin' },
    })
    // Two of one path are one too many; what was typed stays.
    tty.type('aweb9')
    for (const text of ['/srv/site', '15m']) tty.type(`\t${text}`)
    tty.type(save)
    await tty.sees('Add it all the same?')
    tty.type('y')
    await tty.sees('has a schedule already', /When +15m/)
  })

  it('has one run now, shows its runs, and what was new in each', async () => {
    const work = newAgent()
    fixture.source.file('/src/site/index.html', 'hello')
    await work()
    const tty = await open()
    await tty.sees('There are no schedules yet')
    tty.type('aweb1')
    tty.type('\t/elsewhere')
    tty.type('\t15m')
    tty.type(save)
    await tty.sees('web1 allows /src, and refuses /elsewhere.')
    tty.type('n')
    await tty.sees('> Path')
    tty.type(`${clear}/src/site`)
    tty.type(save)
    await tty.sees('web1:/src/site, every 15m, is added', '1 of 1 agent there')
    await work()
    await tty.sees(/^> web1 +\/src\/site +every 15m +idle +in .*saved now/m)
    tty.type(keys.enter)
    await tty.sees('Runs of web1:/src/site', /^> +1 .* saved +1 .* 5 B +5 B$/m)
    tty.type('n')
    await tty.sees('Run 2 of web1:/src/site is begun', /^[> ] +2 .* manual +queued/m)
    await work()
    await tty.sees(/^[> ] +2 .* manual +unchanged +1 /m)
    fixture.source.file('/src/site/index.html', 'hello world')
    tty.type('n')
    await tty.sees('Run 3 of')
    await work()
    await tty.sees(/^[> ] +3 .* saved +2 .* 11 B/m)
  })

  it('changes, pauses, resumes, and removes only after it was asked', async () => {
    const { schedules } = fixture.client
    const odd = spec('/srv/site', { excludes: ['a,b', 'c'], hookBefore: 'dump' })
    await schedules.add(odd)
    const tty = await open()
    // All its keys, though the last line has not room for them.
    await tty.sees(/^> web1 /m, 'p pause', 'x remove', 'o overdue', '/ filter', '? help')
    tty.type('e')
    await tty.sees('Change a schedule', /^> When +every 15m/m)
    await answer(tty, 'every 1h', '> Time zone')
    tty.type(save)
    await tty.sees('every 1h, is changed')
    const [edited] = await Array.fromAsync(schedules.list())
    // What was not touched is what it was, also what the form cannot say.
    expect(edited?.spec).to.deep.equal({ ...odd, timing: { every: '1h', at: '', timeZone: '' } })
    tty.type('p')
    await tty.sees(/every 1h +paused +-/, 'is paused', 'p resume', '1 paused')
    tty.type('p')
    await tty.sees('goes on', 'p pause')
    tty.type('x')
    await tty.sees('Remove the schedule of web1:/srv/site?', 'The backups that it has made stay.')
    tty.type('n')
    await tty.sees('a add')
    expect(await Array.fromAsync(schedules.list())).to.have.length(1)
    tty.type('x')
    await tty.sees('Remove the schedule')
    tty.type('y')
    await tty.sees('is removed; its backups stay', 'There are no schedules yet')
  })

  it('says what is overdue, here and at home', async () => {
    const work = newAgent()
    await work()
    await fixture.client.schedules.add(spec('/src/often'))
    await fixture.client.schedules.add(spec('/src/seldom', { timing: { every: '300d', at: '', timeZone: '' } }))
    await fixture.client.schedules.pause('web1:/src/seldom')
    const { tty } = fixture.open()
    await tty.sees('● connected')
    fixture.clock.advance(60 * minuteMs)
    await tty.sees('Scheduled backups: 1 overdue; see Schedules.')
    tty.type('6')
    await tty.sees('1 overdue', /often +every 15m +overdue/, /seldom +every 300d +paused/)
    tty.type('o')
    await tty.sees('Only what is overdue or failing', /^> web1 +\/src\/often/m)
    expect(tty.screen.text()).not.to.match(/seldom/)
    tty.type('o')
    await tty.sees(/seldom/)
    tty.type('/seldom')
    tty.type(keys.enter)
    await tty.sees('Filter: seldom', /^> web1 +\/src\/seldom/m)
  })

  it('shows no path raw, and keeps what it knows while the manager is away', async () => {
    await fixture.client.schedules.add(spec('/srv/a\x1b[2J\x07\n\x9b31mb'))
    await fixture.client.schedules.add(spec('/srv/שלום'))
    const tty = await open()
    await tty.sees('a\\x1b[2J\\x07\\n', '\u2068/srv/שלום\u2069')
    let away = true
    fixture.cluster.faults.before = () => {
      if (away) throw new TwofoldError('unavailable', 'cannot reach the manager')
    }
    await tty.sees('unreachable, again', '/srv/שלום')
    tty.type('p')
    await tty.sees('cannot reach the manager', '/srv/שלום')
    away = false
    await tty.sees('● connected')
    tty.type('p')
    await tty.sees(/paused +-/)
    expect(tty.screen.unknown).to.deep.equal([])
  })
})
