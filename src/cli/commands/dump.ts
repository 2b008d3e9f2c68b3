import { Option } from 'commander'
import type { Command } from 'commander'
import type { Client } from '../../client/index.ts'
import { TwofoldError } from '../../core/errors.ts'
import { absolutePath, argumentBytes } from '../argument-bytes.ts'
import type { Cli } from '../cli.ts'
import { addAction, addClusterOptions, addHelp } from '../command-setup.ts'
import type { Run } from '../command-setup.ts'
import { addFilterOptions, toFilter } from '../snapshot-filter.ts'
import type { FilterOptions } from '../snapshot-filter.ts'
import { withClient } from '../with-client.ts'

interface Options extends FilterOptions {
  readonly archive: 'auto' | 'tar'
}

export function defineDump(command: Command, cli: Cli): void {
  command.argument('<snapshot[:folder]>', 'an id or "latest"').argument('<path>', 'a file or folder in the snapshot')
  addFilterOptions(addClusterOptions(command)).addOption(
    new Option('-a, --archive <format>', 'tar: also a single file as an archive')
      .choices(['auto', 'tar'])
      .default('auto'),
  )
  addHelp(command, {
    examples: ['twofold dump latest /etc/hosts', 'twofold dump latest /etc | tar -t'],
    exitCodes: [0, 1, 10, 12, 16, 130],
  })
  addAction<Options>(command, cli, (run) => withClient(run, (client) => dump(client, run)))
}

async function dump(client: Client, { cli, output, options, operands }: Run<Options>): Promise<void> {
  const [reference = '', path = ''] = operands
  const request = { archive: options.archive, filter: toFilter(options) }
  const absolute = absolutePath(Buffer.concat([Buffer.from('/'), argumentBytes(path)]))
  const dumped = await client.dump(reference, absolute, request, { signal: cli.signal })
  if (dumped.kind === 'tar' && cli.terminal.interactive) {
    throw new TwofoldError('invalid-argument', 'an archive is nothing for a terminal: redirect it to a file')
  }
  for await (const slice of dumped.content) await output.raw(slice)
}
