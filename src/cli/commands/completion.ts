import type { Command } from 'commander'
import { TwofoldError } from '../../core/errors.ts'
import type { Cli } from '../cli.ts'
import { addAction, addCommonOptions, addHelp } from '../command-setup.ts'
import type { CommonOptions } from '../command-setup.ts'
import { completionScripts, completionShells } from '../completion-scripts.ts'

export function defineCompletion(command: Command, cli: Cli): void {
  command.argument('<shell>', completionShells.join(', '))
  addCommonOptions(command)
  addHelp(command, {
    examples: [
      'eval "$(twofold completion bash)"',
      'eval "$(twofold completion zsh)"',
      'twofold completion fish | source',
      'twofold completion bash > /etc/bash_completion.d/twofold',
    ],
    notes: [
      'Commands and options are completed, and from the live cluster ids of snapshots, hosts, tags, paths, nodes,',
      'schedules, agents and names of files. When no manager answers within a moment, these are left out.',
    ],
    exitCodes: [0, 1],
  })
  addAction<CommonOptions>(command, cli, async ({ output, operands }) => {
    const shell = completionShells.find((name) => name === operands[0])
    if (shell === undefined) {
      const shown = operands[0] ?? ''
      throw new TwofoldError('invalid-argument', `"${shown}" is no shell: use ${completionShells.join(', ')}`)
    }
    const script = completionScripts[shell]
    if (output.json) await output.record({ message_type: 'completion', shell, script })
    else await output.raw(Buffer.from(script))
  })
}
