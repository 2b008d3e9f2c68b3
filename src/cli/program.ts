import { CommanderError } from 'commander'
import type { Command } from 'commander'
import { TwofoldError, describeError, isTwofoldError, toTwofoldError } from '../core/errors.ts'
import type { Cli } from './cli.ts'
import { commands } from './commands.ts'
import { createCommand } from './create-command.ts'
import type { ExitCode } from './exit-codes.ts'
import { suggestion } from './nearest.ts'
import { Output } from './output.ts'
import { readProgramName } from './program-version.ts'
import { createRoot } from './root-command.ts'

/** The options before a command's name that take a value. */
const optionsWithValue = new Set(['-m', '--manager', '--vault', '--times', '--root'])

/** Runs one command line and says what the process should end with. */
export async function runProgram(argv: readonly string[], surroundings: Surroundings): Promise<ExitCode> {
  let exitCode: ExitCode = 0
  let json = argv.includes('--json')
  const cli: Cli = {
    ...surroundings,
    setExitCode: (code) => (exitCode = code),
    setJson: (wanted) => (json = wanted),
  }
  try {
    await parse(argv, cli)
    return exitCode
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0
    const output = new Output(cli.terminal, { json })
    return output.fatal(toShownError(error, cli))
  }
}

export type Surroundings = Omit<Cli, 'setExitCode' | 'setJson'>

async function parse(argv: readonly string[], cli: Cli): Promise<void> {
  const at = commandPosition(argv)
  const word = at === -1 ? undefined : argv[at]
  const opens = word === undefined && opensClient(argv, cli)
  if (!opens && (word === undefined || word === 'help')) return showHelp(argv, at, cli)
  // Nobody types this one: it is what the completion of a shell asks.
  if (word === 'complete') return (await import('./complete.ts')).completeWords(argv.slice(at + 1), cli)
  const name = opens ? clientCommand : (word ?? '')
  const entry = commands.find((each) => each.name === name)
  if (entry === undefined) {
    const names = commands.map(({ name }) => name)
    const meant = suggestion(name, names)
    throw new TwofoldError('invalid-argument', `there is no command "${name}"${meant}; "twofold --help" lists them`)
  }
  const command = await createCommand(entry, cli)
  try {
    await command.parseAsync(opens ? argv : [...argv.slice(0, at), ...argv.slice(at + 1)], { from: 'user' })
  } catch (error) {
    throw unknownSubcommand(command, error) ?? error
  }
}

/** A command that does something of its own takes a mistyped subcommand for an argument too many. */
function unknownSubcommand(command: Command, error: unknown): TwofoldError | undefined {
  if (!(error instanceof CommanderError) || error.code !== 'commander.excessArguments') return undefined
  const [word = ''] = command.args
  const names = command.commands.map((each) => each.name())
  if (names.length === 0) return undefined
  const meant = suggestion(word, names)
  const all = `${command.name()} --help`
  return new TwofoldError(
    'invalid-argument',
    `"${command.name()}" has no "${word}"${meant}; "${all}" lists what it has`,
  )
}

/** Without a command, on a terminal, the full-screen client opens. */
function opensClient(argv: readonly string[], { terminal, stdin }: Cli): boolean {
  if (argv.some((word) => helpOptions.has(word))) return false
  return terminal.interactive && 'isTTY' in stdin && stdin.isTTY === true
}

const clientCommand = 'tui'
const helpOptions = new Set(['-h', '--help', '-V', '--version'])

/** Where the command's name is: options may come before it. */
function commandPosition(argv: readonly string[]): number {
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at] ?? ''
    if (optionsWithValue.has(word)) at += 1
    else if (!word.startsWith('-')) return at
  }
  return -1
}

async function showHelp(argv: readonly string[], at: number, cli: Cli): Promise<void> {
  if (argv.includes('--version') || argv.includes('-V')) {
    cli.terminal.stdout.write(`${readProgramName()}\n`)
    return
  }
  const subject = at === -1 ? undefined : commands.find(({ name }) => name === argv[at + 1])
  if (subject !== undefined) return void (await createCommand(subject, cli)).outputHelp()
  const asked = at !== -1 || argv.includes('--help') || argv.includes('-h')
  if (!asked && argv[0] !== undefined) {
    const meant = suggestion(argv[0], ['--help', '--version', '--json', '--manager', '--vault'])
    throw new TwofoldError(
      'invalid-argument',
      `there is no option "${argv[0]}"${meant}; "twofold --help" lists the commands`,
    )
  }
  createRoot(cli.terminal).outputHelp()
}

/** A failure as it is told to the user. */
function toShownError(error: unknown, cli: Cli): TwofoldError {
  if (error instanceof CommanderError) {
    if (error.code === 'commander.help') {
      return new TwofoldError('invalid-argument', 'say what to do with it; --help lists the ways')
    }
    const words = error.message.replace(/^error: /, '').replaceAll('\n', ' ')
    return new TwofoldError('invalid-argument', `${words}; --help has the details`)
  }
  if (cli.signal.aborted) return new TwofoldError('cancelled', 'interrupted; nothing that was not finished was kept')
  if (isTwofoldError(error) && (error.code !== 'internal' || error.cause === undefined)) return error
  const details = describeError(error instanceof TwofoldError ? error.cause : error)
  if (cli.environment['TWOFOLD_DEBUG'] !== undefined && error instanceof Error) {
    cli.terminal.stderr.write(`${error.stack ?? error.message}\n`)
  }
  return new TwofoldError(toTwofoldError(error).code, `something unexpected failed: ${details}`, { cause: error })
}
