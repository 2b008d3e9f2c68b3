import { Command } from 'commander'
import type { Argument, Option } from 'commander'
import type { Candidate, ClusterWord } from './candidate.ts'
import type { Cli } from './cli.ts'
import { addClusterOptions } from './command-setup.ts'
import type { ClusterOptions } from './command-setup.ts'
import { commands } from './commands.ts'
import { filesDirective } from './completion-scripts.ts'
import { createCommand } from './create-command.ts'
import { applySettings } from './setting.ts'
import { splitLine } from './split-line.ts'

/** What may come next: words of ours, words that the cluster knows, names of files. */
interface Wanted {
  readonly own: readonly Candidate[]
  readonly cluster?: ClusterWord | undefined
  readonly files?: boolean
}

/** How long the cluster is asked: whoever pressed a key waits. */
const patienceMs = 800

/**
 * Prints what may come next on a command line, a line each, for the scripts of `completion`. Whatever goes wrong, it is
 * silent. @param argv the shell, `--`, and the line (bash) or its words without the program (zsh, fish)
 */
export async function completeWords(argv: readonly string[], cli: Cli): Promise<void> {
  const [shell = ''] = argv
  const given = argv.slice(argv.indexOf('--') + 1)
  const words = shell === 'bash' ? splitLine(given[0] ?? '').slice(1) : [...given]
  const current = words.pop() ?? ''
  const wanted = await whatComes(words, current, cli)
  const found = [...wanted.own, ...(await fromCluster(wanted.cluster, words, cli))]
  const lines = found.filter(({ value }) => value.startsWith(current) && isPrintable(value))
  for (const { value, about } of lines) {
    const shown = shell === 'bash' ? forBash(value, current) : value
    cli.terminal.stdout.write(about === '' || !isPrintable(about) ? `${shown}\n` : `${shown}\t${about}\n`)
  }
  if (wanted.files === true) cli.terminal.stdout.write(`${filesDirective}\n`)
}

async function whatComes(words: readonly string[], current: string, cli: Cli): Promise<Wanted> {
  const names = commands.map(({ name, summary }) => ({ value: name, about: summary }))
  const root = addClusterOptions(new Command())
  const place = skipOptions(root, words, 0)
  const name = words[place.at]
  if (name === undefined || place.pending !== undefined) {
    if (place.pending !== undefined) return valuesOf(place.pending)
    return { own: current.startsWith('-') ? optionsOf(root) : [...names, { value: 'help', about: 'show the help' }] }
  }
  if (name === 'help') return { own: names }
  const entry = commands.find((each) => each.name === name)
  if (entry === undefined) return { own: [] }
  const command = await createCommand(entry, cli)
  return inCommand(command, words.slice(place.at + 1), current)
}

function inCommand(command: Command, words: readonly string[], current: string): Wanted {
  let operands = 0
  for (let at = 0; ;) {
    const { at: next, pending } = skipOptions(command, words, at)
    if (pending !== undefined) return valuesOf(pending, command)
    const word = words[next]
    if (word === undefined) break
    const sub = operands === 0 ? command.commands.find((each) => namesOf(each).includes(word)) : undefined
    if (sub !== undefined) return inCommand(sub, words.slice(next + 1), current)
    operands += 1
    at = next + 1
  }
  const equals = /^(--[^=]+)=/.exec(current)
  const option = command.options.find(({ long }) => long === equals?.[1])
  if (option !== undefined) return withPrefix(valuesOf(option, command), `${option.long ?? ''}=`)
  if (current.startsWith('-')) return { own: optionsOf(command) }
  const subs = operands > 0 ? [] : command.commands.map((each) => ({ value: each.name(), about: each.description() }))
  const wanted = argumentValues(argumentAt(command, operands))
  return { ...wanted, own: [...subs, ...wanted.own] }
}

function namesOf(command: Command): string[] {
  return [command.name(), ...command.aliases()]
}

/** The next word from `at` on that is no option and no value of one; `pending` is an option that has no value yet. */
function skipOptions(
  command: Command,
  words: readonly string[],
  from: number,
): { at: number; pending: Option | undefined } {
  let at = from
  for (; words[at]?.startsWith('-') === true && words[at] !== '-'; at++) {
    const word = words[at] ?? ''
    const option = command.options.find(({ long, short }) => long === word || short === word)
    if (option?.required !== true) continue
    at += 1
    if (at >= words.length) return { at, pending: option }
  }
  return { at, pending: undefined }
}

function optionsOf(command: Command): Candidate[] {
  const own = command.options.flatMap(({ long, description, hidden }) =>
    long === undefined || long === null || hidden ? [] : [{ value: long, about: description }],
  )
  return [...own, { value: '--help', about: 'show the help' }]
}

/** The last argument may be there for many. */
function argumentAt(command: Command, index: number): Argument | undefined {
  const known = command.registeredArguments
  const last = known.at(-1)
  return known[index] ?? (last?.variadic === true ? last : undefined)
}

function argumentValues(argument: Argument | undefined): Wanted {
  if (argument === undefined) return { own: [] }
  const name = argument.name()
  if (argument.argChoices !== undefined) return { own: argument.argChoices.map(plain) }
  if (/^(snapshot|older|newer)/.test(name))
    return { own: [{ value: 'latest', about: 'the newest' }], cluster: 'snapshot' }
  if (name === 'shell') return { own: argument.description.split(', ').map(plain) }
  if (name === 'node' || name === 'agent' || name === 'schedule') return { own: [], cluster: name }
  if (name === 'name') return { own: [], cluster: 'file' }
  return { own: [], files: /^(path|file|folder)/.test(name) }
}

/** Words of the cluster by the long names of options that take them. */
const clusterOptions: Readonly<Record<string, ClusterWord>> = {
  host: 'host',
  tag: 'tag',
  add: 'tag',
  remove: 'tag',
  set: 'tag',
  'keep-tag': 'tag',
  path: 'path',
  parent: 'snapshot',
  without: 'node',
  agent: 'agent',
}

function valuesOf(option: Option, command?: Command): Wanted {
  if (option.argChoices !== undefined) return { own: option.argChoices.map(plain) }
  const known = clusterOptions[option.name()]
  // Beside an agent a path is what that one backs up, not what snapshots have.
  const besideAgent = command?.options.some(({ long }) => long === '--agent') === true
  const cluster = known === 'path' && besideAgent ? 'schedule-path' : known
  if (cluster !== undefined) return { own: [], cluster }
  const listed = /: ([a-z-]+(?:, [a-z-]+)+)/.exec(`: ${option.description}`)
  const closed = ['times', 'compression'].includes(option.name())
  if (closed && listed !== null) return { own: (listed[1] ?? '').split(', ').map(plain) }
  return { own: [], files: /<(file|folder|dir)>/.test(option.flags) }
}

function plain(value: string): Candidate {
  return { value, about: '' }
}

function withPrefix(wanted: Wanted, prefix: string): Wanted {
  return { own: wanted.own.map(({ value, about }) => ({ value: `${prefix}${value}`, about })) }
}

async function fromCluster(kind: ClusterWord | undefined, words: readonly string[], cli: Cli): Promise<Candidate[]> {
  if (kind === undefined) return []
  try {
    const probe = addClusterOptions(new Command()).allowUnknownOption()
    probe.parseOptions([...words])
    await applySettings(probe, cli.environment)
    const { clusterWords } = await import('./cluster-words.ts')
    return await clusterWords(kind, { options: probe.opts<ClusterOptions>(), cli, patienceMs })
  } catch {
    // Whoever completes a line has not asked for anything yet, and is not told what would fail.
    return []
  }
}

function isPrintable(text: string): boolean {
  // Control characters, and those that change the direction of text, have no business on a command line.
  return !/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/.test(text)
}

/** bash inserts a candidate as it is, and takes what is behind a `:` or `=` for a word of its own. */
function forBash(value: string, current: string): string {
  const cut = Math.max(current.lastIndexOf(':'), current.lastIndexOf('=')) + 1
  return value.slice(cut).replace(/[^\w@%+=:,./-]/gu, '\\$&')
}
