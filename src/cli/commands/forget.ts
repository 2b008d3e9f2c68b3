import { Option } from 'commander'
import type { Command } from 'commander'
import { groupSnapshots, judgeGroups } from '../../client/index.ts'
import type { Client, GroupKey, GroupVerdict, SnapshotInfo } from '../../client/index.ts'
import { TwofoldError } from '../../core/errors.ts'
import { adminSnapshotsMax } from '../../core/limits.ts'
import { isEmptyPolicy } from '../../core/retention.ts'
import type { Cli } from '../cli.ts'
import { addAction, addClusterOptions, addHelp } from '../command-setup.ts'
import type { Run } from '../command-setup.ts'
import { confirm } from '../confirm.ts'
import { forgetLines, forgetRecord, simulationLines, simulationRecord } from '../forget-text.ts'
import { plural } from '../../core/human-format.ts'
import { parseCount, parseDuration } from '../quantities.ts'
import { addKeepOptions, toPolicy } from '../retention-options.ts'
import type { KeepOptions } from '../retention-options.ts'
import { addFilterOptions, toFilter } from '../snapshot-filter.ts'
import type { FilterOptions } from '../snapshot-filter.ts'
import { withClient } from '../with-client.ts'
import { pruneAndReport } from './prune.ts'

interface Options extends FilterOptions, KeepOptions {
  readonly groupBy: readonly GroupKey[]
  readonly dryRun?: boolean
  readonly prune?: boolean
  readonly now?: boolean
  readonly yes?: boolean
  readonly allowAll?: boolean
  readonly simulate?: number
  readonly every: number
}

const dayMs = 86_400_000

export function defineForget(command: Command, cli: Cli): void {
  command.argument('[snapshot...]', 'ids; without any, the policy decides')
  addKeepOptions(addFilterOptions(addClusterOptions(command)))
  const groups = new Option('-g, --group-by <group>', 'apply the policy to each group of host, paths, tags; or "none"')
  command
    .addOption(groups.argParser(parseGroups).default(['host', 'paths'], 'host,paths'))
    .option('-n, --dry-run', 'only say what would be forgotten')
    .option('--prune', 'give their space back at once, as far as their time in the trash is over')
    .option('--now', 'skip the trash: the next prune removes them for good')
    .option('--yes', 'do not ask before what cannot be undone')
    .option('--allow-all', 'also when nothing of a group would be left')
    .option('--simulate <n>', 'show what the policy would keep of n more backups', (text) => parseCount(text, 1))
    .option('--every <time>', 'how far apart these are', parseDuration, dayMs)
  addHelp(command, {
    examples: [
      'twofold forget --keep-daily 7 --keep-weekly 5 --keep-monthly 12 --dry-run',
      'twofold forget --keep-last 10 --prune',
      'twofold forget 3f2a9c10',
      'twofold forget --keep-daily 7 --keep-weekly 4 --simulate 60',
    ],
    notes: ['Forgotten snapshots stay in the trash for a week: "twofold undelete" brings them back.'],
    exitCodes: [0, 1, 10, 12, 13, 130],
  })
  addAction<Options>(command, cli, (run) => withClient(run, (client) => forget(client, run)))
}

function parseGroups(text: string): GroupKey[] {
  if (text === 'none' || text === '') return []
  return text.split(',').map((key) => {
    const normal = key === 'path' ? 'paths' : key === 'tag' ? 'tags' : key
    if (normal === 'host' || normal === 'paths' || normal === 'tags') return normal
    throw new TwofoldError('invalid-argument', `"${key}" is no group: use host, paths, tags or none`)
  })
}

async function forget(client: Client, run: Run<Options>): Promise<void> {
  const { options, operands } = run
  const policy = toPolicy(options)
  if (operands.length > 0) {
    if (!isEmptyPolicy(policy)) throw new TwofoldError('invalid-argument', 'give ids or a policy, not both')
    return forgetById(client, run)
  }
  if (isEmptyPolicy(policy)) {
    throw new TwofoldError('invalid-argument', 'give ids, or say what to keep: for example --keep-daily 7')
  }
  const snapshots: SnapshotInfo[] = []
  for await (const snapshot of client.snapshots(toFilter(options), { signal: run.cli.signal })) snapshots.push(snapshot)
  const groups = groupSnapshots(snapshots, options.groupBy)
  const { timeZone } = new Intl.DateTimeFormat().resolvedOptions()
  const context = { nowMs: run.cli.clock.nowMs(), timeZone }
  if (options.simulate !== undefined) {
    const plan = { ...context, everyMs: options.every, count: options.simulate }
    await run.output.record(simulationRecord(groups, policy, plan))
    return run.output.lines(simulationLines(groups, policy, plan))
  }
  await forgetByPolicy(client, run, judgeGroups(groups, policy, context))
}

async function forgetByPolicy(client: Client, run: Run<Options>, groups: readonly GroupVerdict[]): Promise<void> {
  const { options, output } = run
  const emptied = groups.filter(({ verdicts }) => verdicts.every(({ keep }) => !keep))
  if (emptied.length > 0 && options.allowAll !== true) {
    throw new TwofoldError(
      'failed-precondition',
      `the policy would leave nothing of ${plural(emptied.length, 'group')}; nothing was forgotten. ` +
        'Say --allow-all if that is meant',
    )
  }
  const ids = groups.flatMap(({ verdicts }) => verdicts.filter(({ keep }) => !keep).map((v) => v.snapshot.info.id))
  await output.record(groups.map(forgetRecord))
  const nowMs = run.cli.clock.nowMs()
  const look = { layout: output.layout, time: (ms: number): string => output.time(ms, nowMs) }
  for (const group of groups) await output.remarks(forgetLines(group, look))
  await carryOut(client, run, ids)
}

async function forgetById(client: Client, run: Run<Options>): Promise<void> {
  const { operands, options, output } = run
  const request = { signal: run.cli.signal }
  const found = await Promise.all(operands.map((operand) => client.resolve(operand, toFilter(options), request)))
  const ids = [...new Set(found.map((snapshot) => snapshot.id))]
  await output.record({ message_type: 'forget', remove: ids, dry_run: options.dryRun === true })
  await carryOut(client, run, ids)
}

async function carryOut(client: Client, run: Run<Options>, ids: readonly SnapshotInfo['id'][]): Promise<void> {
  const { options, output, cli } = run
  const { vault, now = false } = options
  if (options.dryRun === true) {
    await output.line(`would forget ${plural(ids.length, 'snapshot')}; nothing was changed`)
  } else {
    if (now && ids.length > 0) {
      const question = `${plural(ids.length, 'snapshot')} cannot be brought back after this. Go on?`
      await confirm(run, question, options.yes === true)
    }
    let expiresAtMs = 0
    for (let start = 0; start < ids.length; start += adminSnapshotsMax) {
      const batch = ids.slice(start, start + adminSnapshotsMax)
      expiresAtMs = await client.forget({ vault, ids: batch, now }, { signal: cli.signal })
    }
    const until =
      now || ids.length === 0
        ? ''
        : `; "twofold undelete" brings them back until ${output.time(expiresAtMs, cli.clock.nowMs())}`
    await output.remark(`forgot ${plural(ids.length, 'snapshot')}${until}`)
  }
  if (options.prune === true) await pruneAndReport(client, run, { vault, dryRun: options.dryRun === true })
}
