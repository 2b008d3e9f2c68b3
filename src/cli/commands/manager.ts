import type { Command } from 'commander'
import { startManager } from '../../manager/main.ts'
import { absoluteArgument } from '../argument-bytes.ts'
import type { Cli } from '../cli.ts'
import { addAction, addCommonOptions, addHelp } from '../command-setup.ts'
import type { CommonOptions } from '../command-setup.ts'
import { readVersion } from '../program-version.ts'
import { parseDuration, parseSize } from '../quantities.ts'
import { runServer } from '../server-run.ts'
import { Setting } from '../setting.ts'
import { defineCatalogueCopies } from './manager-copies.ts'
import { defineRecover } from './manager-recover.ts'

interface Options extends CommonOptions {
  readonly data: string
  readonly listen: string
  readonly insecure?: boolean
  readonly suspectAfter?: number
  readonly deadAfter?: number
  readonly sessionLease?: number
  readonly trashWindow?: number
  readonly repairRate: number
  readonly logLevel?: string
}

export function defineManager(command: Command, cli: Cli): void {
  // An option after the name of a subcommand is that one's.
  command.enablePositionalOptions()
  addCommonOptions(command)
    .addOption(new Setting('--data <folder>', 'where the catalogue is').default('twofold-manager'))
    .addOption(new Setting('--listen <host:port>', 'where to listen').default('127.0.0.1:7400'))
    .addOption(new Setting('--insecure', 'listen on other addresses than loopback although there is no TLS yet'))
    .addOption(new Setting('--suspect-after <time>', 'silence after which a node gets nothing new', parseDuration))
    .addOption(new Setting('--dead-after <time>', 'silence after which a node counts as lost', parseDuration))
    .addOption(new Setting('--session-lease <time>', 'silence after which a backup counts as given up', parseDuration))
    .addOption(new Setting('--trash-window <time>', 'how long forgotten snapshots can be brought back', parseDuration))
    .addOption(
      new Setting('--repair-rate <size>', 'bytes a second that a node sends for repair; 0: any', parseSize).default(0),
    )
    .addOption(new Setting('--log-level <level>', 'debug, info, warn or error'))
  addHelp(command, {
    examples: [
      'twofold manager --data /var/lib/twofold/manager --listen 127.0.0.1:7400',
      'twofold manager recover --from-nodes --data /var/lib/twofold/manager --listen 127.0.0.1:7400',
    ],
    notes: ['It runs until SIGTERM or SIGINT, then finishes what is in progress. The log goes to stderr.'],
    exitCodes: [0, 1, 11, 13],
  })
  addAction<Options>(command, cli, async (run) => {
    const programVersion = readVersion()
    const { data, listen, insecure = false, suspectAfter, deadAfter, sessionLease, ...rest } = run.options
    const { trashWindow, repairRate } = rest
    const timing = {
      ...(suspectAfter === undefined ? {} : { suspectAfterMs: suspectAfter }),
      ...(deadAfter === undefined ? {} : { deadAfterMs: deadAfter }),
      ...(sessionLease === undefined ? {} : { sessionLeaseMs: sessionLease }),
      ...(trashWindow === undefined ? {} : { trashWindowMs: trashWindow }),
    }
    const dataDirectory = absoluteArgument(data).toString()
    const repairBytesPerSecondMax = repairRate
    const settings = { dataDirectory, listen, insecure, timing, programVersion, repairBytesPerSecondMax }
    await runServer(run, 'manager', (logger) => startManager({ ...settings, logger }))
  })
  defineRecover(command, cli)
  defineCatalogueCopies(command, cli)
}
