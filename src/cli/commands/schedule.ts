import type { Command } from 'commander'
import type { Client } from '../../client/index.ts'
import { scheduleDoubt } from '../../core/schedule-doubt.ts'
import type { Schedule } from '../../core/schedules.ts'
import type { Cli } from '../cli.ts'
import { addAction, addClusterOptions, addHelp } from '../command-setup.ts'
import type { ClusterOptions, CommandHelp, Run } from '../command-setup.ts'
import { parseCount } from '../quantities.ts'
import { safePath, safeText } from '../../core/safe-text.ts'
import { formatAhead, timingText } from '../../core/schedule-words.ts'
import { addClearOption, addPlaceOptions, addSpecOptions, changedSpec } from '../schedule-options.ts'
import { findReference, newSpec } from '../schedule-options.ts'
import type { PlaceOptions, SpecOptions } from '../schedule-options.ts'
import * as text from '../schedule-text.ts'
import { withClient } from '../with-client.ts'
import { defineAgents } from './agents.ts'

const exitCodes: CommandHelp['exitCodes'] = [0, 1, 10, 12, 13, 130]

export function defineSchedule(command: Command, cli: Cli): void {
  command.usage('COMMAND [options]')
  addHelp(command, {
    examples: [
      'twofold schedule add --agent web1 --path /srv/site --every 15m',
      'twofold schedule add --agent db1 --path /var/dumps --at "mon..fri 02:30" --before dump --keep-daily 14',
      'twofold schedule list',
      'twofold schedule run web1:/srv/site',
      'twofold schedule runs web1:/srv/site',
    ],
    notes: [
      'A schedule has an agent back up a folder of its machine again and again ("twofold agent" runs one). It may be',
      'added before its agent is there, and waits for it then. Times are --every 15m, or --at with a calendar',
      'expression ([weekdays] [date] [time]: "mon..fri 02:30", "sat,sun 8..20:0/30", "*-*-01 04:00", "daily") or the',
      'five fields of cron. Runs begin up to five minutes, or a tenth of the time between two, later, so that not all',
      'begin together. All commands take --json.',
    ],
    exitCodes,
  })
  defineAdd(command, cli)
  defineEdit(command, cli)
  defineList(command, cli)
  defineShow(command, cli)
  defineRuns(command, cli)
  defineAgents(command.command('agents').description('the agents, and whether they are there'), cli)
  for (const decision of decisions) defineDecision(command, cli, decision)
  defineRun(command, cli)
  defineCancel(command, cli)
}

function defineAdd(command: Command, cli: Cli): void {
  const sub = addClusterOptions(command.command('add').description('have a folder backed up'))
  sub.requiredOption('--agent <name>', 'the agent on the machine').requiredOption('--path <path>', 'the folder or file')
  addHelp(addSpecOptions(sub), {
    examples: ['twofold schedule add --agent web1 --path /srv/site --every 15m'],
    exitCodes,
  })
  addAction<SpecOptions & { agent: string; path: string }>(sub, cli, async (run) => {
    const spec = await newSpec(run.options)
    await withClient(run, async (client) => {
      const doubt = scheduleDoubt(spec, await client.schedules.agents({ signal: cli.signal }))
      await tell(run, await client.schedules.add(spec, { signal: cli.signal }), 'Added.')
      // Of the other doubt the state of the schedule told.
      if (doubt?.about === 'path') await run.output.remark(`${doubt.text} ${doubt.consequence}`)
    })
  })
}

function defineEdit(command: Command, cli: Cli): void {
  const sub = addPlaceOptions(addClusterOptions(command.command('edit').description('change what was decided')))
  addHelp(addClearOption(addSpecOptions(sub)), {
    examples: [
      'twofold schedule edit 1f3a9c0b --every 1h',
      'twofold schedule edit web1:/srv/site --clear excludes tags',
    ],
    notes: ['What is not named stays. Patterns, tags and what to keep are replaced as a whole.'],
    exitCodes,
  })
  addAction<SpecOptions & PlaceOptions>(sub, cli, (run) =>
    withClient(run, async (client) => {
      const { signal } = cli
      const schedule = await client.schedules.get(await findReference(client, run), { signal })
      const spec = await changedSpec(schedule, run.options)
      await tell(run, await client.schedules.edit(schedule.scheduleId, spec, { signal }), 'Changed.')
    }),
  )
}

interface ListOptions extends ClusterOptions {
  readonly agent?: string
}

function defineList(command: Command, cli: Cli): void {
  const sub = addClusterOptions(command.command('list').description('all schedules, and how they are doing'))
  sub.option('--agent <name>', 'only those of this agent')
  addHelp(sub, { examples: ['twofold schedule list', 'twofold schedule list --json'], exitCodes })
  addAction<ListOptions>(sub, cli, (run) =>
    withClient(run, async (client) => {
      const { agent } = run.options
      const schedules = await first(client.schedules.list({ agent }, { signal: cli.signal }), Infinity)
      await run.output.record(schedules.map(text.scheduleRecord))
      const nowMs = cli.clock.nowMs()
      const none = ['There are no schedules; "twofold schedule add" makes one.']
      await run.output.lines(schedules.length === 0 ? none : text.scheduleTable(schedules, nowMs, run.output.layout))
      await run.output.lines(schedules.filter(({ problem }) => problem !== '').map(problemLine))
    }),
  )
}

function problemLine({ scheduleId, problem }: Schedule): string {
  return `${scheduleId.slice(0, 8)}: ${safeText(problem)}`
}

interface CountOptions extends PlaceOptions {
  readonly limit: number
}

function defineShow(command: Command, cli: Cli): void {
  const sub = addPlaceOptions(addClusterOptions(command.command('show').description('one schedule, and its versions')))
  sub.option('--limit <n>', 'how many of the newest versions', (given) => parseCount(given), 10)
  addHelp(sub, { examples: ['twofold schedule show web1:/srv/site'], exitCodes })
  addAction<CountOptions>(sub, cli, (run) =>
    withClient(run, async (client) => {
      const { signal } = cli
      const schedule = await client.schedules.get(await findReference(client, run), { signal })
      const versions = await first(client.schedules.versions(schedule.spec, { signal }), run.options.limit)
      await run.output.record({ ...text.scheduleRecord(schedule), versions: versions.map(text.versionRecord) })
      const nowMs = cli.clock.nowMs()
      await run.output.lines(text.scheduleLines(schedule, nowMs))
      if (versions.length > 0) await run.output.lines(['', ...text.versionTable(versions, nowMs, run.output.layout)])
    }),
  )
}

function defineRuns(command: Command, cli: Cli): void {
  const sub = addPlaceOptions(addClusterOptions(command.command('runs').description('what was done, the newest first')))
  sub.option('--limit <n>', 'how many of the newest', (given) => parseCount(given, 1), 20)
  addHelp(sub, { examples: ['twofold schedule runs', 'twofold schedule runs web1:/srv/site --json'], exitCodes })
  addAction<CountOptions>(sub, cli, (run) =>
    withClient(run, async (client) => {
      const { agent, path } = run.options
      const one = run.operands.length > 0 || path !== undefined
      const request = one
        ? { schedule: await findReference(client, run) }
        : { ...(agent === undefined ? {} : { agent }) }
      const runs = await first(client.schedules.runs(request, { signal: cli.signal }), run.options.limit)
      await run.output.record(runs.map(text.runRecord))
      await run.output.lines(text.runTable(runs, run.output.layout))
    }),
  )
}

interface Decision {
  readonly name: 'pause' | 'resume' | 'remove'
  readonly summary: string
  readonly done: string
}

const decisions: readonly Decision[] = [
  { name: 'pause', summary: 'begin no more runs until it is resumed', done: 'Paused.' },
  { name: 'resume', summary: 'end a pause', done: 'Resumed.' },
  { name: 'remove', summary: 'end a schedule; its backups stay', done: 'Removed; its backups stay.' },
]

function defineDecision(command: Command, cli: Cli, { name, summary, done }: Decision): void {
  const sub = addPlaceOptions(addClusterOptions(command.command(name).description(summary)))
  addHelp(sub, { examples: [`twofold schedule ${name} web1:/srv/site`], exitCodes })
  addAction<PlaceOptions>(sub, cli, (run) =>
    withClient(run, async (client) => {
      const { signal } = cli
      await tell(run, await client.schedules[name](await findReference(client, run), { signal }), done)
    }),
  )
}

interface RunOptions extends PlaceOptions {
  readonly wait?: boolean
}

function defineRun(command: Command, cli: Cli): void {
  const sub = addPlaceOptions(addClusterOptions(command.command('run').description('have it run now')))
  sub.option('--wait', 'until it is over; exit with 1 if it fails')
  addHelp(sub, { examples: ['twofold schedule run web1:/srv/site --wait'], exitCodes })
  addAction<RunOptions>(sub, cli, (run) => withClient(run, (client) => runNow(client, run)))
}

const pollMs = 500

async function runNow(client: Client, run: Run<RunOptions>): Promise<void> {
  const { cli, output, options } = run
  const { signal } = cli
  const schedule = await findReference(client, run)
  const { run: begun, begun: isNew } = await client.schedules.run(schedule, { signal })
  let now = begun
  while (options.wait === true && (now.state === 'queued' || now.state === 'running')) {
    await cli.clock.sleep(pollMs, signal)
    const page = await client.schedules.runsPage({ schedule: now.scheduleId, pageSize: 100 }, { signal })
    now = page.items.find(({ number }) => number === begun.number) ?? now
    output.status(`run ${now.number} is ${now.state}`)
  }
  output.clearStatus()
  await output.record({ ...text.runRecord(now), begun: isNew })
  const how = isNew ? 'begun' : 'going on already'
  const said = options.wait === true ? `Run ${now.number}: ${now.state}.` : `Run ${now.number} is ${how}.`
  const bad = now.state === 'failed' || now.state === 'refused' || now.state === 'cancelled'
  await (bad ? output.line(said) : output.remark(said))
  if (now.message !== '') await output.line(safeText(now.message))
  if (bad) cli.setExitCode(1)
}

function defineCancel(command: Command, cli: Cli): void {
  const sub = addClusterOptions(command.command('cancel').description('end a run')).argument('<run>', 'its number')
  addHelp(sub, { examples: ['twofold schedule cancel 17'], exitCodes })
  addAction<ClusterOptions>(sub, cli, (run) =>
    withClient(run, async (client) => {
      const cancelled = await client.schedules.cancel(parseCount(run.operands[0] ?? '', 1), { signal: cli.signal })
      await run.output.record(text.runRecord(cancelled))
      const over = cancelled.state !== 'running'
      await run.output.remark(
        over ? `Run ${cancelled.number}: ${cancelled.state}.` : 'It ends as soon as its agent asks.',
      )
    }),
  )
}

async function tell({ cli, output }: Run<ClusterOptions>, schedule: Schedule, done: string): Promise<void> {
  await output.record(text.scheduleRecord(schedule))
  const { scheduleId, spec, state, nextRunAtMs } = schedule
  const of = `${safeText(spec.agent)}:${safePath(spec.path)}`
  const next = nextRunAtMs === 0 ? '' : `, next run ${formatAhead(nextRunAtMs, cli.clock.nowMs())}`
  await output.remark(`${done} Schedule ${scheduleId.slice(0, 8)}, ${of}, ${timingText(spec)}: ${state}${next}.`)
  if (state === 'waiting') await output.remark(`No agent ${safeText(spec.agent)} has registered yet; it waits for it.`)
}

async function first<T>(items: AsyncIterable<T>, count: number): Promise<T[]> {
  const found: T[] = []
  if (count === 0) return found
  for await (const item of items) {
    found.push(item)
    if (found.length >= count) break
  }
  return found
}
