import type { Command } from 'commander'
import type { Cli } from './cli.ts'
import { exitCodes } from './exit-codes.ts'
import type { ExitCode } from './exit-codes.ts'
import { Output } from './output.ts'
import { applySettings, Setting } from './setting.ts'
import { parseTimeStyle, timeStyles } from './time-style.ts'
import type { TimeStyle } from './time-style.ts'

/** What every command is told. */
export interface CommonOptions {
  readonly json?: boolean
  readonly quiet?: boolean
  readonly times?: TimeStyle
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
  /** How often `--verbose` was given. */
  readonly verbosity: number
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

/** `verbose` says what more of it means; the command's own levels are the first ones. */
export function addClusterOptions(
  command: Command,
  verbose = 'tell of the connection; twice: log what is done',
): Command {
  const manager = new Setting('-m, --manager <host:port>', 'where the manager is; several with commas')
  const times = new Setting('--times <style>', `how times are shown: ${timeStyles.join(', ')}`, parseTimeStyle)
  countVerbose(command)
  return addCommonOptions(command)
    .addOption(manager.default(defaultManager))
    .addOption(new Setting('--vault <name>', 'the vault to work in'))
    .addOption(times)
    .option('-q, --quiet', 'only what was asked for, and problems: no progress, headings or remarks')
    .option('-v, --verbose', verbose)
}

const verbosities = new WeakMap<Command, number>()

function countVerbose(command: Command): void {
  command.on('option:verbose', () => verbosities.set(command, (verbosities.get(command) ?? 0) + 1))
}

/** Collects the values of an option that may be given several times. */
export function collect(value: string, previous: readonly string[] | undefined): string[] {
  return [...(previous ?? []), value]
}

/** Like `collect`, and each value may be several with commas between them. */
export function collectList(value: string, previous: readonly string[] | undefined): string[] {
  return [...(previous ?? []), ...value.split(',').filter((item) => item !== '')]
}

const helps = new WeakMap<Command, CommandHelp>()

/** What was added to a command's help. */
export function helpOf(command: Command): CommandHelp | undefined {
  return helps.get(command)
}

export function addHelp(command: Command, help: CommandHelp): Command {
  helps.set(command, help)
  const blocks = [
    ['Examples:', ...help.examples.map((example) => `  ${example}`)],
    ...(help.notes === undefined ? [] : [help.notes]),
    ['Exit codes:', ...help.exitCodes.map((code) => `  ${String(code).padStart(3)}  ${exitCodes[code]}`)],
  ]
  return command.addHelpText('after', `\n${blocks.map((block) => block.join('\n')).join('\n\n')}`)
}

/** What was given before the name of a subcommand holds for that, unless it is given again. */
function takeOver(command: Command): void {
  const { parent } = command
  for (const option of command.options) {
    const name = option.attributeName()
    const given = parent?.getOptionValueSource(name) === 'cli' && command.getOptionValueSource(name) !== 'cli'
    if (given) command.setOptionValueWithSource(name, parent.getOptionValue(name), 'cli')
  }
}

/** What the command does, once settings from all sources are applied. */
export function addAction<Options extends CommonOptions>(
  command: Command,
  cli: Cli,
  run: (run: Run<Options>) => Promise<void>,
): void {
  command.action(async () => {
    takeOver(command)
    await applySettings(command, cli.environment)
    const options = command.opts<Options>()
    const json = options.json === true
    cli.setJson(json)
    const output = new Output(cli.terminal, { json, quiet: options.quiet, times: options.times })
    await run({ cli, output, options, operands: command.args, verbosity: verbosities.get(command) ?? 0 })
  })
}
