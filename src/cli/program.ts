import { Command, CommanderError } from 'commander'
import { TwofoldError, describeError, isTwofoldError, toTwofoldError } from '../core/errors.ts'
import type { Cli } from './cli.ts'
import { commands } from './commands.ts'
import type { CommandEntry } from './commands.ts'
import { exitCodes } from './exit-codes.ts'
import type { ExitCode } from './exit-codes.ts'
import { Output } from './output.ts'
import type { Terminal } from './output.ts'
import { readProgramName } from './program-version.ts'

/** The options before a command's name that take a value. */
const optionsWithValue = new Set(['-m', '--manager', '--vault'])

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
  if (word === undefined || word === 'help') return showHelp(argv, at, cli)
  const entry = commands.find(({ name }) => name === word)
  if (entry === undefined) {
    throw new TwofoldError('invalid-argument', `there is no command "${word}"; "twofold --help" lists them`)
  }
  const command = await createCommand(entry, cli)
  await command.parseAsync([...argv.slice(0, at), ...argv.slice(at + 1)], { from: 'user' })
}

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
    cli.terminal.stdout.write(`${await readProgramName()}\n`)
    return
  }
  const subject = at === -1 ? undefined : commands.find(({ name }) => name === argv[at + 1])
  if (subject !== undefined) return void (await createCommand(subject, cli)).outputHelp()
  const asked = at !== -1 || argv.includes('--help') || argv.includes('-h')
  if (!asked && argv[0] !== undefined) {
    throw new TwofoldError('invalid-argument', `there is no option "${argv[0]}"; "twofold --help" lists the commands`)
  }
  createRoot(cli.terminal).outputHelp()
  if (!asked) cli.setExitCode(1)
}

function createRoot(terminal: Terminal): Command {
  const root = new Command('twofold').description('Backups that are on two machines before you are told "done".')
  root.usage('COMMAND [options]').option('-V, --version', 'print the version').helpCommand(false)
  for (const { name, summary } of commands) root.command(name).description(summary).helpOption(false)
  const codes = Object.entries(exitCodes).map(([code, meaning]) => `  ${code.padStart(3)}  ${meaning}`)
  const help = [
    '',
    'Settings come from options, then TWOFOLD_… variables, then $XDG_CONFIG_HOME/twofold/config.yaml.',
    '"twofold COMMAND --help" has the details of a command.',
    '',
    'Exit codes:',
    ...codes,
  ]
  return configure(root, terminal).addHelpText('after', help.join('\n'))
}

async function createCommand(entry: CommandEntry, cli: Cli): Promise<Command> {
  const command = new Command(`twofold ${entry.name}`).description(entry.summary)
  const define = await entry.load()
  define(command, cli)
  for (const each of [command, ...command.commands]) configure(each, cli.terminal)
  return command
}

function configure(command: Command, terminal: Terminal): Command {
  return command
    .exitOverride()
    .showSuggestionAfterError(true)
    .configureOutput({
      writeOut: (text) => void terminal.stdout.write(text),
      // The one line that ends a failed command is written in one place, whatever the failure was.
      writeErr: () => undefined,
      getOutHelpWidth: () => terminal.columns(),
      getOutHasColors: () => terminal.colour,
    })
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
