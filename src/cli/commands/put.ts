import type { Command } from 'commander'
import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { basename } from 'node:path'
import type { Client } from '../../client/index.ts'
import { TwofoldError } from '../../core/errors.ts'
import type { Cli } from '../cli.ts'
import { addAction, addClusterOptions, addHelp } from '../command-setup.ts'
import type { ClusterOptions, Run } from '../command-setup.ts'
import { fileVersionRecord } from '../file-version-text.ts'
import { formatBytes } from '../../core/human-format.ts'
import { safeText } from '../../core/safe-text.ts'
import { withClient } from '../with-client.ts'

interface Options extends ClusterOptions {
  readonly requestId?: string
}

const pieceBytes = 1024 * 1024

export function definePut(command: Command, cli: Cli): void {
  command
    .argument('<file>', 'the file, or - for stdin')
    .argument('[name]', 'its name in the vault; its own unless given')
  addClusterOptions(command).option('--request-id <id>', 'makes a repeated call harmless')
  addHelp(command, {
    examples: [
      'twofold put report.pdf',
      'twofold put report.pdf reports/2026.pdf',
      'pg_dump db | twofold put - db.sql',
    ],
    exitCodes: [0, 1, 10, 11, 12, 13, 14, 130],
  })
  addAction<Options>(command, cli, (run) => withClient(run, (client) => put(client, run)))
}

async function put(client: Client, { cli, output, options, operands }: Run<Options>): Promise<void> {
  const [file = '', given] = operands
  const name = given ?? (file === '-' ? '' : basename(file))
  if (name === '') throw new TwofoldError('invalid-argument', 'what comes from stdin needs a name: twofold put - NAME')
  const { vault, requestId } = options
  const content = file === '-' ? (cli.stdin as AsyncIterable<Uint8Array>) : await readPieces(file)
  const version = await client.putFile({ name, vault, requestId }, content, { signal: cli.signal })
  await output.record({ message_type: 'summary', ...fileVersionRecord(version) })
  const added = `${formatBytes(version.lengthBytes)}, ${formatBytes(version.addedBytes)} of it new`
  await output.remark(
    `${safeText(version.name)}: version ${version.version}, ${added}, ${version.copies} fsynced copies`,
  )
}

/** Opened before anything is sent, so that a wrong name fails at once. */
async function readPieces(file: string): Promise<AsyncIterable<Uint8Array>> {
  try {
    const handle = await open(file)
    if ((await handle.stat()).isDirectory()) {
      await handle.close()
      throw new TwofoldError('invalid-argument', `${file} is a folder: "twofold backup" saves folders`)
    }
    return createReadStream(file, { fd: handle, highWaterMark: pieceBytes }) as AsyncIterable<Uint8Array>
  } catch (error) {
    if (error instanceof TwofoldError || !(error instanceof Error)) throw error
    throw new TwofoldError('io', `cannot read ${file}: ${error.message}`, { cause: error })
  }
}
