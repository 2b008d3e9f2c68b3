import type { Command } from 'commander'
import { hostname } from 'node:os'
import { startAgent } from '../../agent/main.ts'
import { TwofoldError } from '../../core/errors.ts'
import { agentRunsDefault } from '../../core/schedule-limits.ts'
import { absoluteArgument } from '../argument-bytes.ts'
import type { Cli } from '../cli.ts'
import { addAction, addCommonOptions, addHelp, collect } from '../command-setup.ts'
import type { CommonOptions, Run } from '../command-setup.ts'
import { readVersion } from '../program-version.ts'
import { parseCount } from '../quantities.ts'
import { runServer } from '../server-run.ts'
import { Setting } from '../setting.ts'
import { connectFrom } from '../with-client.ts'
import { addAgentRemove, agentRemoveExample } from './agent-remove.ts'

interface Options extends CommonOptions {
  readonly manager: string
  readonly name: string
  readonly allow?: readonly string[]
  readonly hook?: readonly string[]
  readonly runs: number
  readonly logLevel?: string
}

export function defineAgent(command: Command, cli: Cli): void {
  // An option after the name of a subcommand is that one's.
  command.enablePositionalOptions()
  const runs = new Setting('--runs <n>', 'how many backups at once', (text) => parseCount(text, 1))
  addCommonOptions(command)
    .addOption(new Setting('-m, --manager <host:port>', 'where the manager is').default('127.0.0.1:7400'))
    .addOption(new Setting('--name <name>', 'its name, which schedules say').default(hostname()))
    .option('--allow <folder>', 'back up only what lies below it, whoever asks; may be repeated', collect)
    .option(
      '--hook <name=command>',
      'a command that schedules may name to run before or after; may be repeated',
      collect,
    )
    .addOption(runs.default(agentRunsDefault))
    .addOption(new Setting('--log-level <level>', 'debug, info, warn or error'))
  addHelp(command, {
    examples: [
      'twofold agent --name web1 --allow /srv --manager backup.example:7400',
      `twofold agent --name db1 --allow /var/dumps --hook 'dump=pg_dump -f /var/dumps/db.sql db'`,
      agentRemoveExample,
    ],
    notes: [
      'Runs on a machine that is to be backed up, asks the manager for work, and carries out its schedules. It needs',
      'no open port. Symbolic links that lead out of the allowed folders are not followed. Schedules name hooks; their',
      'commands are only here. They get TWOFOLD_AGENT, TWOFOLD_PATH, TWOFOLD_SCHEDULE, TWOFOLD_RUN and TWOFOLD_RESULT.',
      '',
      'Without another word it runs until SIGTERM or SIGINT; what it had not finished goes on when it is started',
      'again. Logs go to stderr.',
    ],
    exitCodes: [0, 1, 10, 13],
  })
  addAction<Options>(command, cli, runAgent)
  addAgentRemove(command, cli)
}

async function runAgent(run: Run<Options>): Promise<void> {
  const { cli, options } = run
  const { name, allow = [] } = options
  if (allow.length === 0) {
    throw new TwofoldError('invalid-argument', 'say what may be backed up: --allow FOLDER, or --allow / for everything')
  }
  const hooks = parseHooks(options.hook ?? [])
  const programVersion = readVersion()
  await runServer(run, name, async (logger) => {
    const client = await connectFrom(run, { logger, userName: name })
    const agent = startAgent({
      ...{ client, logger, clock: cli.clock, name, hooks, programVersion },
      allow: allow.map((folder) => new Uint8Array(absoluteArgument(folder))),
      runsMax: options.runs,
      hostName: hostname(),
    })
    const stop = async (): Promise<void> => {
      await agent.stop()
      client.close()
    }
    return { ended: agent.ended, stop, says: `agent ${name} asks ${options.manager} for work` }
  })
}

/** @throws TwofoldError `invalid-argument` */
function parseHooks(texts: readonly string[]): Map<string, string> {
  const hooks = new Map<string, string>()
  for (const text of texts) {
    const cut = text.indexOf('=')
    const [name, line] = [text.slice(0, cut), text.slice(cut + 1)]
    if (cut < 1 || line.trim() === '') {
      throw new TwofoldError('invalid-argument', `"${text}" is no hook: write --hook 'NAME=COMMAND'`)
    }
    if (hooks.has(name)) throw new TwofoldError('invalid-argument', `the hook "${name}" is given twice`)
    hooks.set(name, line)
  }
  return hooks
}
