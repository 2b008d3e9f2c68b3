import type { Command } from 'commander'
import type { Cli } from './cli.ts'
import { exitCodes } from './exit-codes.ts'
import type { ExitCode } from './exit-codes.ts'
import { Output } from './output.ts'
import { applySettings, Setting } from './setting.ts'

/** What every command is told. */
export interface CommonOptions {
  readonly json?: boolean
}

export interface ClusterOptions extends CommonOptions {
  readonly manager: string
  readonly vault?: string
}

/** A command at work: its options with all sources applied, and its operands. */
export interface Run<Options extends CommonOptions> {
  readonly cli: Cli
  readonly output: Output
  readonly options: Options
  readonly operands: readonly string[]
}

export interface CommandHelp {
  readonly examples: readonly string[]
  readonly exitCodes: readonly ExitCode[]
  readonly notes?: readonly string[]
}

/** Adds `commandLine` to a parser; loaded only when the command is called. */
export type DefineCommand = (command: Command, cli: Cli) => void

const defaultManager = '127.0.0.1:7400'

export function addCommonOptions(command: Command): Command {
  return command.addOption(new Setting('--json', 'print JSON lines'))
}

export function addClusterOptions(command: Command): Command {
  const manager = new Setting('-m, --manager <host:port>', 'where the manager is; several with commas')
  return addCommonOptions(command)
    .addOption(manager.default(defaultManager))
    .addOption(new Setting('--vault <name>', 'the vault to work in'))
}

/** Collects the values of an option that may be given several times. */
export function collect(value: string, previous: readonly string[] | undefined): string[] {
  return [...(previous ?? []), value]
}

/** Like `collect`, and each value may be several with commas between them. */
export function collectList(value: string, previous: readonly string[] | undefined): string[] {
  return [...(previous ?? []), ...value.split(',').filter((item) => item !== '')]
}

export function addHelp(command: Command, help: CommandHelp): Command {
  const blocks = [
    ['Examples:', ...help.examples.map((example) => `  ${example}`)],
    ...(help.notes === undefined ? [] : [help.notes]),
    ['Exit codes:', ...help.exitCodes.map((code) => `  ${String(code).padStart(3)}  ${exitCodes[code]}`)],
  ]
  return command.addHelpText('after', `\n${blocks.map((block) => block.join('\n')).join('\n\n')}`)
}

/** What the command does, once settings from all sources are applied. */
export function addAction<Options extends CommonOptions>(
  command: Command,
  cli: Cli,
  run: (run: Run<Options>) => Promise<void>,
): void {
  command.action(async () => {
    await applySettings(command, cli.environment)
    const options = command.opts<Options>()
    const json = options.json === true
    cli.setJson(json)
    await run({ cli, output: new Output(cli.terminal, { json }), options, operands: command.args })
  })
}
