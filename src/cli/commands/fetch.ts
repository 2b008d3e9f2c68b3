import { Option } from 'commander'
import type { Command } from 'commander'
import type { ArchiveFormat, Client } from '../../client/index.ts'
import { TwofoldError } from '../../core/errors.ts'
import { randomHexId } from '../../core/ids.ts'
import type { BackupVersion } from '../../core/schedules.ts'
import { systemRandom } from '../../system/random.ts'
import { writeArchiveFile } from '../archive-file.ts'
import { argumentBytes } from '../argument-bytes.ts'
import type { Cli } from '../cli.ts'
import { addAction, addClusterOptions, addHelp } from '../command-setup.ts'
import type { ClusterOptions, Run } from '../command-setup.ts'
import { formatBytes, formatTime } from '../../core/human-format.ts'
import { parseCount } from '../quantities.ts'
import { safePath, safeText } from '../../core/safe-text.ts'
import { withClient } from '../with-client.ts'

interface Options extends ClusterOptions {
  readonly agent: string
  readonly path: string
  readonly output: string
  readonly serial?: number
  readonly format?: ArchiveFormat
  readonly force?: boolean
}

export function defineFetch(command: Command, cli: Cli): void {
  addClusterOptions(command)
    .requiredOption('--agent <name>', 'the agent whose backup it is')
    .requiredOption('--path <path>', 'the path of its schedule')
    .requiredOption('-o, --output <file>', 'the file to write; - for stdout')
    .option('--serial <n>', 'an older version, by its serial number', (text) => parseCount(text, 1))
    .addOption(new Option('--format <format>', 'by the name of the file unless given, else tgz').choices(formats))
    .option('--force', 'replace a file that is there')
  addHelp(command, {
    examples: [
      'twofold fetch --agent web1 --path /srv/site -o site.tgz',
      'twofold fetch --agent web1 --path /srv/site --serial 3 -o - | tar -xz',
    ],
    notes: [
      'Writes the newest backup of a schedule as an archive. tar brings back an identical tree: modes, times, hard and',
      'symbolic links, names of any bytes. A zip has no hard links, no owners, and times of two seconds.',
      '',
      'The file has its name only when it is whole; until then it is a hidden one beside it that ends with .part. What',
      'a killed one left of that goes when the same file is fetched again.',
    ],
    exitCodes: [0, 1, 10, 12, 13, 14, 16, 130],
  })
  addAction<Options>(command, cli, (run) => withClient(run, (client) => fetchBackup(client, run)))
}

const formats: readonly ArchiveFormat[] = ['tar', 'tgz', 'zip']

async function fetchBackup(client: Client, run: Run<Options>): Promise<void> {
  const { cli, options, output } = run
  const { signal } = cli
  const path = argumentBytes(options.path)
  const version = await findVersion(client, run, path)
  const info = await client.resolve(version.snapshotId, options.vault === undefined ? {} : { vault: options.vault }, {
    signal,
  })
  const format = options.format ?? formatOf(options.output)
  // Where the path led when it was saved: a symbolic link on it was followed.
  const saved = info.manifest.paths[0] ?? path
  const open = (): Promise<AsyncIterable<Uint8Array>> =>
    client.archive({ snapshot: info.id, path: saved, format }, { signal })
  if (options.output === '-') {
    if (cli.terminal.interactive) {
      throw new TwofoldError('invalid-argument', 'an archive is nothing for a terminal: redirect it to a file')
    }
    for await (const slice of await open()) await output.raw(slice)
    return
  }
  const mark = randomHexId<string>(systemRandom).slice(0, 12)
  const bytes = await writeArchiveFile(options.output, open, { force: options.force ?? false, mark })
  const { agent } = options
  await output.record({
    message_type: 'fetched',
    ...{ agent, path: safePath(path), serial: version.serial, snapshot_id: info.id, format, bytes },
    file: options.output,
  })
  const which = `serial ${version.serial} of ${formatTime(version.madeAtMs)}`
  await output.remark(`${safeText(options.output)}: ${which}, ${formatBytes(bytes)}, snapshot ${info.shortId}`)
}

async function findVersion(client: Client, { options, cli }: Run<Options>, path: Uint8Array): Promise<BackupVersion> {
  const { agent, serial } = options
  const request = { agent, path, ...(serial === undefined ? {} : { serial }) }
  let gone: BackupVersion | undefined
  for await (const version of client.schedules.versions(request, { signal: cli.signal })) {
    if (version.kept) return version
    gone ??= version
  }
  const of = `${safeText(agent)} and ${safePath(path)}`
  if (gone !== undefined && serial !== undefined) {
    const id = gone.snapshotId.slice(0, 8)
    const message = `serial ${serial} of ${of} was forgotten; "twofold undelete ${id}" brings it back from the trash`
    throw new TwofoldError('not-found', message)
  }
  const which = serial === undefined ? '' : ` with serial ${serial}`
  throw new TwofoldError(
    'not-found',
    `there is no backup of ${of}${which}; "twofold schedule show" has those there are`,
  )
}

function formatOf(file: string): ArchiveFormat {
  const name = file.toLowerCase()
  if (name.endsWith('.zip')) return 'zip'
  return name.endsWith('.tar') ? 'tar' : 'tgz'
}
