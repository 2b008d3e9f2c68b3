import type { Command } from 'commander'
import { hostname } from 'node:os'
import { scrubPeriodMs } from '../../core/limits.ts'
import { filesService } from '../../gateway/main.ts'
import { startNode } from '../../node/main.ts'
import { absoluteArgument } from '../argument-bytes.ts'
import type { Cli } from '../cli.ts'
import { addAction, addCommonOptions, addHelp } from '../command-setup.ts'
import type { CommonOptions, Run } from '../command-setup.ts'
import { readVersion } from '../program-version.ts'
import { parsePeriod, parseSize } from '../quantities.ts'
import { runServer } from '../server-run.ts'
import { Setting } from '../setting.ts'
import { connectFrom, splitAddresses } from '../with-client.ts'
import { addNodeAdmin, nodeAdminExamples } from './node-admin.ts'

interface Options extends CommonOptions {
  readonly manager: string
  readonly name: string
  readonly data: string
  readonly listen: string
  readonly advertise?: string
  readonly capacity: number
  readonly domain?: string
  readonly insecure?: boolean
  readonly logLevel?: string
  readonly scrubPeriod: number
  readonly scrubRate?: number
}

export function defineNode(command: Command, cli: Cli): void {
  // An option after the name of a subcommand is that one's.
  command.enablePositionalOptions()
  const capacity = new Setting('--capacity <size>', 'how many bytes it may hold, for example 500GB', parseSize)
  const scrubPeriod = new Setting(
    '--scrub-period <duration>',
    'every pack is read and checked within this time; off to do without',
    parsePeriod,
  ).default(scrubPeriodMs, '14d')
  const scrubRate = new Setting(
    '--scrub-rate <size>',
    'how many bytes a second that reads; what the period needs, 1 to 64 MiB, unless given',
    parseSize,
  )
  addCommonOptions(command)
    .addOption(new Setting('-m, --manager <host:port>', 'where the manager is').default('127.0.0.1:7400'))
    .addOption(new Setting('--name <name>', 'its name in the cluster').default(hostname()))
    .addOption(new Setting('--data <folder>', 'where the packs are').default('twofold-node'))
    .addOption(new Setting('--listen <host:port>', 'where to listen').default('127.0.0.1:7401'))
    .addOption(new Setting('--advertise <host:port>', 'where others reach it; as --listen unless given'))
    .addOption(capacity.default(parseSize('10GB'), '10GB'))
    .addOption(new Setting('--domain <name>', 'what fails together: a rack, a building; itself unless given'))
    .addOption(scrubPeriod)
    .addOption(scrubRate)
    .addOption(new Setting('--insecure', 'listen on other addresses than loopback although there is no TLS yet'))
    .addOption(new Setting('--log-level <level>', 'debug, info, warn or error'))
  addHelp(command, {
    examples: [
      'twofold node --name n1 --data /srv/n1 --listen 127.0.0.1:7401 --capacity 2TB --manager 127.0.0.1:7400',
      ...nodeAdminExamples,
    ],
    notes: [
      'Without another word it runs until SIGTERM or SIGINT, then finishes what is in progress, and logs to stderr.',
    ],
    exitCodes: [0, 1, 10, 11, 13],
  })
  addAction<Options>(command, cli, runNode)
  addNodeAdmin(command, cli)
}

async function runNode(run: Run<Options>): Promise<void> {
  const { cli, options } = run
  const { name, data, listen, advertise, capacity: capacityBytes, domain, insecure = false } = options
  const managers = splitAddresses(options.manager)
  const programVersion = readVersion()
  await runServer(run, name, async (logger) => {
    const client = await connectFrom(run, { logger, userName: name })
    return startNode({
      dataDirectory: absoluteArgument(data).toString(),
      ...{ name, listen, capacityBytes, managers, insecure, logger, programVersion },
      ...(advertise === undefined ? {} : { advertise }),
      scrub: { periodMs: options.scrubPeriod, bytesPerSecond: options.scrubRate ?? 0 },
      ...(domain === undefined ? {} : { failureDomain: domain }),
      extraServices: () => [filesService(client, { logger, clock: cli.clock })],
    })
  })
}
