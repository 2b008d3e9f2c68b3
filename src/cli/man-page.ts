import type { Command, Option } from 'commander'
import { helpOf } from './command-setup.ts'
import { exitCodes } from './exit-codes.ts'
import { Setting } from './setting.ts'

export interface ManPage {
  /** Of the file: `twofold-backup.1`. */
  readonly file: string
  readonly text: string
}

export interface ManContext {
  readonly version: string
  /** Names of all pages, for what they refer to. */
  readonly others: readonly string[]
}

/** The manual pages of a command and of its subcommands, from what `--help` shows. */
export function manPages(command: Command, context: ManContext): ManPage[] {
  return [command, ...command.commands].map((each) => manPage(each, fullName(each), context))
}

/** `twofold node drain` */
export function fullName(command: Command): string {
  return command.parent === null ? command.name() : `${command.parent.name()} ${command.name()}`
}

export function pageName(name: string): string {
  return name.replaceAll(' ', '-')
}

function manPage(command: Command, name: string, { version, others }: ManContext): ManPage {
  const title = pageName(name)
  const help = helpOf(command)
  const text = [
    header(title, version),
    section('NAME', [`${roff(title)} \\- ${roff(command.description())}`]),
    section('SYNOPSIS', [`.B ${roff(name)}`, roff(command.usage())]),
    ...(help?.notes === undefined ? [] : [section('DESCRIPTION', paragraphs(help.notes))]),
    ...argumentsSection(command),
    section('OPTIONS', [...command.options.flatMap(optionLines), ...tagged('-h, --help', 'display help for command')]),
    ...(command.commands.length === 0 ? [] : [section('COMMANDS', command.commands.flatMap(subcommandLines))]),
    ...environment(command),
    section('EXAMPLES', ['.nf', ...(help?.examples ?? []).map(roff), '.fi']),
    section(
      'EXIT STATUS',
      (help?.exitCodes ?? []).flatMap((code) => tagged(String(code), exitCodes[code])),
    ),
    section('SEE ALSO', [seeAlso(others.filter((other) => other !== title))]),
  ].join('\n')
  return { file: `${title}.1`, text: `${text}\n` }
}

/** The page of the program itself. */
export function rootPage(root: Command, notes: readonly string[], { version, others }: ManContext): ManPage {
  const text = [
    header('twofold', version),
    section('NAME', [`twofold \\- ${roff(root.description())}`]),
    section('SYNOPSIS', ['.B twofold', roff(root.usage())]),
    section('DESCRIPTION', paragraphs(notes)),
    section(
      'COMMANDS',
      root.commands.flatMap((command) => tagged(`twofold-${command.name()}(1)`, command.description())),
    ),
    section(
      'EXIT STATUS',
      Object.entries(exitCodes).flatMap(([code, meaning]) => tagged(code, meaning)),
    ),
    section('SEE ALSO', [seeAlso(others.filter((other) => other !== 'twofold'))]),
  ].join('\n')
  return { file: 'twofold.1', text: `${text}\n` }
}

function header(title: string, version: string): string {
  const about = `"${roff(title.toUpperCase())}" "1" "" "twofold ${version}" "Twofold"`
  return `.\\" Generated from what --help shows.\n.TH ${about}`
}

function section(title: string, lines: readonly string[]): string {
  return [`.SH ${title}`, ...lines].join('\n')
}

function argumentsSection(command: Command): string[] {
  const lines = command.registeredArguments.flatMap((argument) => tagged(argument.name(), argument.description))
  return lines.length === 0 ? [] : [section('ARGUMENTS', lines)]
}

function optionLines(option: Option): string[] {
  if (option.hidden) return []
  const choices = option.argChoices === undefined ? '' : ` (choices: ${option.argChoices.join(', ')})`
  const known = option.defaultValueDescription ?? shownDefault(option.defaultValue)
  const fallback = known === undefined ? '' : ` (default: ${known})`
  return tagged(option.flags, `${option.description}${choices}${fallback}`)
}

function shownDefault(value: unknown): string | undefined {
  if (value === undefined || typeof value === 'boolean') return undefined
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function subcommandLines(command: Command): string[] {
  return tagged(`${pageName(fullName(command))}(1)`, command.description())
}

function environment(command: Command): string[] {
  const settings = command.options.filter((option) => option instanceof Setting)
  if (settings.length === 0) return []
  const lines = settings.flatMap((setting) => tagged(setting.variable, `as ${setting.long ?? setting.flags}`))
  const note = 'What is not given as an option is taken from these, then from $XDG_CONFIG_HOME/twofold/config.yaml.'
  return [section('ENVIRONMENT', [roff(note), ...lines])]
}

function tagged(tag: string, text: string): string[] {
  return ['.TP', `.B ${roff(tag)}`, roff(text)]
}

/** Lines that begin with spaces are a list and stay as they are; the others flow. */
function paragraphs(lines: readonly string[]): string[] {
  return lines.flatMap((line) => {
    if (line === '') return ['.PP']
    return line.startsWith('  ') ? ['.br', roff(line.trim())] : [roff(line)]
  })
}

function seeAlso(pages: readonly string[]): string {
  return roff(pages.map((page) => `${page}(1)`).join(', '))
}

/** Text that troff takes for nothing else. */
function roff(text: string): string {
  const escaped = text.replaceAll('\\', '\\e').replaceAll('-', '\\-')
  return /^[.']/.test(escaped) ? `\\&${escaped}` : escaped
}
