import { Command } from 'commander'
import { commands } from './commands.ts'
import { configure } from './create-command.ts'
import { exitCodes } from './exit-codes.ts'
import type { Terminal } from './output.ts'

export const rootNotes = [
  'Settings come from options, then TWOFOLD_… variables, then $XDG_CONFIG_HOME/twofold/config.yaml.',
  '"twofold COMMAND --help" has the details of a command. Without one, on a terminal, the full-screen client opens.',
]

/** What `twofold --help` shows. */
export function createRoot(terminal: Terminal): Command {
  const root = new Command('twofold').description('Backups that are on two machines before you are told "done".')
  root.usage('COMMAND [options]').option('-V, --version', 'print the version').helpCommand(false)
  for (const { name, summary } of commands) root.command(name).description(summary).helpOption(false)
  const codes = Object.entries(exitCodes).map(([code, meaning]) => `  ${code.padStart(3)}  ${meaning}`)
  return configure(root, terminal).addHelpText('after', ['', ...rootNotes, '', 'Exit codes:', ...codes].join('\n'))
}
