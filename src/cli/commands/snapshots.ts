import type { Command } from 'commander'
import type { CheckpointInfo, Client, SnapshotInfo } from '../../client/index.ts'
import { copiesNow } from '../../core/durability-text.ts'
import { checkpointRecord, tellCheckpoints } from '../checkpoint-text.ts'
import type { Cli } from '../cli.ts'
import { addAction, addClusterOptions, addHelp } from '../command-setup.ts'
import type { Run } from '../command-setup.ts'
import { formatAgo, formatBytes, formatDuration, plural } from '../../core/human-format.ts'
import { packRecords, tellPacks } from '../pack-list.ts'
import { parseCount } from '../quantities.ts'
import { safePath, safeText } from '../../core/safe-text.ts'
import { addFilterOptions, toFilter } from '../snapshot-filter.ts'
import type { FilterOptions } from '../snapshot-filter.ts'
import { snapshotRecord } from '../snapshot-text.ts'
import { withClient } from '../with-client.ts'

interface Options extends FilterOptions {
  readonly latest?: number
  readonly packs?: boolean
  readonly trash?: boolean
  readonly checkpoints?: boolean
}

export function defineSnapshots(command: Command, cli: Cli): void {
  command.argument('[snapshot...]', 'ids, or "latest"; all unless given')
  addFilterOptions(addClusterOptions(command))
    .option('--latest <n>', 'only the newest n of each host and set of paths', (text) => parseCount(text, 1))
    .option('--trash', 'those that were forgotten and can be brought back')
    .option('--checkpoints', 'unfinished backups instead, which the next one of the same paths goes on from')
    .option('--packs', 'also list the packs and the nodes that have them')
  addHelp(command, {
    examples: ['twofold snapshots', 'twofold snapshots --host web1 --latest 3', 'twofold snapshots --packs latest'],
    notes: [
      'Copies: the fewest that any pack of the snapshot has now on nodes that are not dead, and how many it should',
      'have. Domains: the fewest failure domains of any pack. Proven: when the least recently checked copy was',
      'written, or last read and found good.',
    ],
    exitCodes: [0, 1, 10, 12, 130],
  })
  addAction<Options>(command, cli, (run) => {
    const list = run.options.checkpoints === true ? listCheckpoints : listSnapshots
    return withClient(run, (client) => list(client, run))
  })
}

async function listSnapshots(client: Client, run: Run<Options>): Promise<void> {
  const { output, options } = run
  const snapshots = newestOfEach(await chosen(client, run), options.latest)
  if (output.json) {
    const records = []
    for (const snapshot of snapshots) {
      const packs = options.packs === true ? { packs: await packRecords(client, snapshot.id, run.cli.signal) } : {}
      records.push({ ...snapshotRecord(snapshot), ...packs })
    }
    return output.record(records)
  }
  const draw = options.trash === true ? trashTable : table
  await draw(snapshots, run)
  const pinned = snapshots.some(({ pin }) => pin !== undefined) ? '; those with * are pinned' : ''
  await output.remark(`${plural(snapshots.length, 'snapshot')}${pinned}`)
  if (options.packs !== true) return
  for (const snapshot of snapshots) {
    await output.line(`\npacks of snapshot ${snapshot.shortId}:`)
    await tellPacks(client, run, snapshot.id)
  }
}

async function listCheckpoints(client: Client, run: Run<Options>): Promise<void> {
  const { output, options, cli } = run
  const found: CheckpointInfo[] = []
  for await (const checkpoint of client.checkpoints(options.vault, { signal: cli.signal })) {
    if (options.host === undefined || checkpoint.manifest.host === options.host) found.push(checkpoint)
  }
  if (output.json) return output.record(found.map(checkpointRecord))
  await tellCheckpoints(found, run)
  await output.remark(`${plural(found.length, 'unfinished backup')}`)
}

async function chosen(client: Client, run: Run<Options>): Promise<SnapshotInfo[]> {
  const { signal } = run.cli
  const filter = { ...toFilter(run.options), trash: run.options.trash === true }
  if (run.operands.length > 0) {
    return Promise.all(run.operands.map((reference) => client.resolve(reference, filter, { signal })))
  }
  const snapshots: SnapshotInfo[] = []
  for await (const snapshot of client.snapshots(filter, { signal })) {
    if (snapshot.manifest.fileName === '') snapshots.push(snapshot)
  }
  return snapshots.sort((a, b) => a.commitSequence - b.commitSequence)
}

function newestOfEach(snapshots: readonly SnapshotInfo[], count: number | undefined): readonly SnapshotInfo[] {
  if (count === undefined) return snapshots
  const seen = new Map<string, number>()
  const kept = snapshots.toReversed().filter(({ manifest }) => {
    const group = JSON.stringify([manifest.host, manifest.paths.map((path) => Buffer.from(path).toString('hex'))])
    const number = (seen.get(group) ?? 0) + 1
    seen.set(group, number)
    return number <= count
  })
  return kept.reverse()
}

const hourMs = 3_600_000

/** `6 days`, `47 hours`, `12:04` */
function timeLeft(ms: number): string {
  if (ms < hourMs) return formatDuration(ms)
  const hours = Math.floor(ms / hourMs)
  return hours < 48 ? plural(hours, 'hour') : plural(Math.floor(hours / 24), 'day')
}

async function trashTable(snapshots: readonly SnapshotInfo[], { output, cli }: Run<Options>): Promise<void> {
  const nowMs = cli.clock.nowMs()
  const rows = snapshots.map(({ shortId, manifest, expiresAtMs }) => [
    shortId,
    output.time(Number(manifest.timeNs / 1_000_000n), nowMs),
    safeText(manifest.host),
    safeText(manifest.tags.join(',')),
    expiresAtMs > nowMs ? timeLeft(expiresAtMs - nowMs) : 'until the next prune',
    manifest.paths.map(safePath).join(' '),
  ])
  await output.table([...firstColumns, { title: 'Time left' }, pathsColumn], rows)
}

const firstColumns = [
  { title: 'ID' },
  { title: 'Time', spare: 2 },
  { title: 'Host', spare: 4 },
  { title: 'Tags', spare: 5 },
]
const pathsColumn = { title: 'Paths', spare: 3, keep: 'end' as const }

async function table(snapshots: readonly SnapshotInfo[], { output, cli }: Run<Options>): Promise<void> {
  const nowMs = cli.clock.nowMs()
  const rows = snapshots.flatMap(({ shortId, manifest, durability, pin }) => {
    const first = [
      pin === undefined ? shortId : `${shortId}*`,
      output.time(Number(manifest.timeNs / 1_000_000n), nowMs),
      safeText(manifest.host),
      safeText(manifest.tags.join(',')),
      copiesNow(durability),
      String(durability.failureDomains),
      formatAgo(durability.provenAtMs, nowMs),
      formatBytes(manifest.stats.totalBytes),
    ]
    const [path, ...more] = manifest.paths.map(safePath)
    return [[...first, path ?? ''], ...more.map((other) => [...first.map(() => ''), other])]
  })
  const right = 'right' as const
  const safety = [{ title: 'Copies' }, { title: 'Domains', align: right, spare: 7 }, { title: 'Proven', spare: 6 }]
  await output.table([...firstColumns, ...safety, { title: 'Size', align: right, spare: 1 }, pathsColumn], rows)
}
