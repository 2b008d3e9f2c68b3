import { Command } from 'commander'
import type { Cli } from './cli.ts'
import type { CommandEntry } from './commands.ts'
import type { Terminal } from './output.ts'

/** The parser of one command, with all of its subcommands. */
export async function createCommand(entry: CommandEntry, cli: Cli): Promise<Command> {
  const command = new Command(`twofold ${entry.name}`).description(entry.summary)
  const define = await entry.load()
  define(command, cli)
  for (const each of [command, ...command.commands]) configure(each, cli.terminal)
  return command
}

export function configure(command: Command, terminal: Terminal): Command {
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
