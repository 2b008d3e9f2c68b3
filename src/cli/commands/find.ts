import type { Command } from 'commander'
import type { Client, ListedEntry, SnapshotInfo } from '../../client/index.ts'
import type { Cli } from '../cli.ts'
import { addAction, addClusterOptions, addHelp } from '../command-setup.ts'
import type { Run } from '../command-setup.ts'
import { entryLine, entryRecord } from '../entry-text.ts'
import { safePath } from '../../core/safe-text.ts'
import { addFilterOptions, toFilter } from '../snapshot-filter.ts'
import type { FilterOptions } from '../snapshot-filter.ts'
import { withClient } from '../with-client.ts'

interface Options extends FilterOptions {
  readonly ignoreCase?: boolean
  readonly long?: boolean
}

export function defineFind(command: Command, cli: Cli): void {
  command.argument('<pattern...>', 'names or paths, with *, ?, [abc] and **')
  addFilterOptions(addClusterOptions(command))
    .option('-i, --ignore-case', 'upper and lower case are the same')
    .option('-l, --long', 'show mode, owner, size and time')
  addHelp(command, {
    examples: [`twofold find '*.pdf'`, `twofold find -i readme.md --host web1`, `twofold find '/etc/**/*.conf'`],
    exitCodes: [0, 1, 10, 12, 16, 130],
  })
  addAction<Options>(command, cli, (run) => withClient(run, (client) => find(client, run)))
}

async function find(client: Client, { cli, output, options, operands }: Run<Options>): Promise<void> {
  const nowMs = cli.clock.nowMs()
  const patterns = [...operands]
  const request = { patterns, ignoreCase: options.ignoreCase === true, filter: toFilter(options) }
  const groups: { snapshot: string; hits: number; matches: object[] }[] = []
  let current: SnapshotInfo | undefined
  for await (const { snapshot, entry } of client.find(request, { signal: cli.signal })) {
    if (snapshot.id !== current?.id) {
      if (current !== undefined) await output.remark()
      const time = output.time(Number(snapshot.manifest.timeNs / 1_000_000n), nowMs)
      await output.remark(`in snapshot ${snapshot.shortId} of ${time}:`)
      groups.push({ snapshot: snapshot.id, hits: 0, matches: [] })
    }
    current = snapshot
    await output.line(options.long === true ? entryLine(entry) : safePath(entry.path))
    if (output.json) remember(groups, entry)
  }
  if (output.json) await output.record(groups)
}

/** restic prints one array of snapshots with their matches. */
function remember(groups: { hits: number; matches: object[] }[], entry: ListedEntry): void {
  const group = groups.at(-1)
  if (group === undefined) return
  group.hits += 1
  group.matches.push(entryRecord(entry))
}
