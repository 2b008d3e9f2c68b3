import { execFileSync, spawnSync } from 'node:child_process'
import * as fs from 'node:fs'
import { join } from 'node:path'
import { launcher } from '../../bench/cluster.ts'
import type { CompletionShell } from '../../src/cli/completion-scripts.ts'

/** What a real shell makes of the script of `twofold completion`. */
export class ShellCompletion {
  readonly #shell: CompletionShell
  readonly #programs: string

  /** @param programs a folder for the program, to be made unless it is there */
  constructor(shell: CompletionShell, programs: string) {
    this.#shell = shell
    this.#programs = programs
    fs.mkdirSync(programs, { recursive: true })
    if (!fs.existsSync(join(programs, 'twofold'))) fs.symlinkSync(launcher, join(programs, 'twofold'))
  }

  static isInstalled(shell: CompletionShell): boolean {
    return spawnSync(shell, ['-c', 'exit 0'], { stdio: 'ignore' }).status === 0
  }

  /** The words that may come at the end of a line, as they would stand on it. */
  of(line: string, environment: NodeJS.ProcessEnv): string[] {
    const { command, args } = invocations[this.#shell](line)
    const env = { ...environment, PATH: `${this.#programs}:${process.env['PATH'] ?? ''}` }
    const text = execFileSync(command, args, { env, stdio: ['ignore', 'pipe', 'ignore'] }).toString()
    const words = text.split('\n').filter((word) => word !== '')
    return words.map((word) => unescaped[this.#shell](word, line))
  }
}

interface Invocation {
  readonly command: string
  readonly args: readonly string[]
}

const quote = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`

const invocations: Readonly<Record<CompletionShell, (line: string) => Invocation>> = {
  bash: (line) => {
    const script = [
      'eval "$(twofold completion bash)"',
      `COMP_LINE=${quote(line)} COMP_POINT=${line.length}`,
      '_twofold',
      'printf "%s\\n" "${COMPREPLY[@]}"',
    ]
    return { command: 'bash', args: ['-c', script.join('\n')] }
  },
  // What completes for the person at the keyboard is taken down instead; its words and their explanations are one.
  zsh: (line) => {
    const words = line.split(' ')
    const script = [
      'compdef() { }; _files() { }',
      '_describe() { local each; for each in "${(@P)4}"; do print -r -- "$each"; done }',
      'eval "$(twofold completion zsh)"',
      `words=(${words.map(quote).join(' ')}) CURRENT=${words.length}`,
      '_twofold',
    ]
    return { command: 'zsh', args: ['-f', '-c', script.join('\n')] }
  },
  fish: (line) => {
    const script = ['twofold completion fish | source', `complete --do-complete ${quote(line)}`]
    return { command: 'fish', args: ['--no-config', '-c', script.join('\n')] }
  },
}

const unescaped: Readonly<Record<CompletionShell, (word: string, line: string) => string>> = {
  bash: (word, line) => `${/\S*:/.exec(line.split(' ').at(-1) ?? '')?.[0] ?? ''}${word.replaceAll('\\', '')}`,
  zsh: (word) => (/^((?:[^:\\]|\\.)*)/.exec(word)?.[1] ?? '').replaceAll('\\:', ':'),
  fish: (word) => (word.split('\t')[0] ?? '').replaceAll('\\', ''),
}
