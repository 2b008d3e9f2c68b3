import type { Command } from 'commander'
import { open, rename, rm } from 'node:fs/promises'
import type { Client } from '../../client/index.ts'
import { TwofoldError } from '../../core/errors.ts'
import type { Cli } from '../cli.ts'
import { addAction, addClusterOptions, addHelp } from '../command-setup.ts'
import type { ClusterOptions, Run } from '../command-setup.ts'
import { fileVersionRecord } from '../file-version-text.ts'
import { formatBytes } from '../../core/human-format.ts'
import { parseCount } from '../quantities.ts'
import { safeText } from '../../core/safe-text.ts'
import { withClient } from '../with-client.ts'

interface Options extends ClusterOptions {
  readonly fileVersion?: number
}

export function defineGet(command: Command, cli: Cli): void {
  command.argument('<name>', 'the name in the vault').argument('[file]', 'where to write it; stdout unless given')
  addClusterOptions(command).option('--file-version <n>', 'the newest unless given', (text) => parseCount(text, 1))
  addHelp(command, {
    examples: ['twofold get report.pdf report.pdf', 'twofold get db.sql --file-version 3 | psql db'],
    exitCodes: [0, 1, 10, 12, 16, 130],
  })
  addAction<Options>(command, cli, (run) => withClient(run, (client) => get(client, run)))
}

async function get(client: Client, { cli, output, options, operands }: Run<Options>): Promise<void> {
  const [name = '', file = '-'] = operands
  const { vault, fileVersion: version } = options
  const { version: info, content } = await client.getFile({ name, vault, version }, { signal: cli.signal })
  if (file === '-') {
    for await (const piece of content) await output.raw(piece)
    return
  }
  await writeWhole(file, content)
  await output.record({ message_type: 'summary', ...fileVersionRecord(info), item: file })
  await output.remark(`${safeText(file)}: version ${info.version}, ${formatBytes(info.lengthBytes)}`)
}

/** The file has its name only when all of it is there. */
export async function writeWhole(file: string | Buffer, content: AsyncIterable<Uint8Array>): Promise<void> {
  const temporary = Buffer.concat([Buffer.from(file), Buffer.from(`.${process.pid}.twofold`)])
  const handle = await open(temporary, 'wx').catch((cause: unknown) => {
    throw new TwofoldError('io', `cannot write ${file.toString()}: ${cause instanceof Error ? cause.message : ''}`, {
      cause,
    })
  })
  try {
    for await (const piece of content) await handle.writeFile(piece)
    await handle.close()
    await rename(temporary, file)
  } catch (error) {
    await handle.close()
    await rm(temporary, { force: true })
    throw error
  }
}
