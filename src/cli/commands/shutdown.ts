import type { Command } from 'commander'
import type { Client } from '../../client/index.ts'
import { TwofoldError } from '../../core/errors.ts'
import type { ShutdownState } from '../../core/node-admin.ts'
import type { Cli } from '../cli.ts'
import { addAction, addClusterOptions, addHelp } from '../command-setup.ts'
import type { ClusterOptions, Run } from '../command-setup.ts'
import { confirm } from '../confirm.ts'
import { plural } from '../../core/human-format.ts'
import { safeText } from '../../core/safe-text.ts'
import { withClient } from '../with-client.ts'

interface Options extends ClusterOptions {
  readonly yes?: boolean
  readonly now?: boolean
  readonly cancel?: boolean
  readonly dryRun?: boolean
}

export function defineShutdown(command: Command, cli: Cli): void {
  addClusterOptions(command)
    .option('-n, --dry-run', 'only say what would be stopped')
    .option('--now', 'do not wait for backups that are running')
    .option('--cancel', 'end a shutdown that waits for backups')
    .option('--yes', 'do not ask before it')
  addHelp(command, {
    examples: [
      'twofold shutdown',
      'twofold shutdown --yes',
      'twofold shutdown --now --yes',
      'twofold shutdown --cancel',
    ],
    notes: [
      'No backup begins any more, those that are running are waited for, then the nodes are told to stop, and at last',
      'the manager stops. It goes on when this command is interrupted. Whatever starts servers again by itself, as a',
      'service manager may, must be told apart; they end with 0. Nodes that are silent are not stopped, and are named.',
      'Agents go on: they wait for the manager to come back, and catch up then what they missed meanwhile.',
    ],
    exitCodes: [0, 1, 10, 12, 13, 130],
  })
  addAction<Options>(command, cli, (run) => withClient(run, (client) => shutDown(client, run)))
}

async function shutDown(client: Client, run: Run<Options>): Promise<void> {
  const { options, output, cli } = run
  const { now, cancel, dryRun, yes = false } = options
  const before = await client.shutdownState({ signal: cli.signal })
  if (dryRun === true) {
    await output.record({ ...shutdownRecord(before), dry_run: true })
    return output.lines([`${what(before)} would be stopped.`, ...silentLines(before)])
  }
  if (cancel === true) {
    if (before.phase === 'off') throw new TwofoldError('failed-precondition', 'no shutdown is going on')
  } else {
    await confirm(run, `Stop ${what(before)}?`, yes || before.phase !== 'off')
  }
  let told = ''
  for await (const state of client.shutDown({ now: now === true, cancel: cancel === true }, { signal: cli.signal })) {
    const line = progressLine(state)
    if (line === told) continue
    told = line
    await output.record(shutdownRecord(state))
    await output.remark(line)
  }
  if (cancel !== true) await output.remarks(silentLines(before))
}

function what({ nodes, sessions }: ShutdownState): string {
  const running = sessions === 0 ? '' : `, after ${plural(sessions, 'running backup')},`
  const names = nodes.length === 0 ? '' : ` (${nodes.map(safeText).join(', ')})`
  return `the manager and ${plural(nodes.length, 'node')}${names}${running}`
}

function progressLine({ phase, sessions, nodes }: ShutdownState): string {
  switch (phase) {
    case 'off':
      return 'All goes on as usual.'
    case 'draining':
      return `Waiting for ${plural(sessions, 'backup')} to end; no other begins. With --now it does not wait.`
    case 'nodes':
      return `Stopping ${nodes.map(safeText).join(', ')}.`
    case 'manager':
      return nodes.length === 0
        ? 'The nodes have stopped, the manager stops.'
        : `${nodes.map(safeText).join(', ')} did not say in time that they stop; the manager stops.`
  }
}

function silentLines({ silent }: ShutdownState): string[] {
  if (silent.length === 0) return []
  return [`${silent.map(safeText).join(', ')}: silent, and so not told to stop.`]
}

function shutdownRecord({ phase, sessions, nodes, silent }: ShutdownState): object {
  return { message_type: 'shutdown', phase, sessions, nodes, silent }
}
