import { Option } from 'commander'
import type { Command } from 'commander'
import { TwofoldError } from '../core/errors.ts'
import { configPath, readConfig } from './config-file.ts'
import type { ConfigValue } from './config-file.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** An option whose value may also come from a `TWOFOLD_…` variable or, after that, from the config file. */
export class Setting extends Option {
  readonly variable: string
  readonly #parse: ((text: string) => unknown) | undefined

  constructor(flags: string, description: string, parse?: (text: string) => unknown) {
    super(flags, description)
    this.variable = `TWOFOLD_${this.name().toUpperCase().replaceAll('-', '_')}`
    this.description = `${description} [${this.variable}]`
    this.#parse = parse
    if (parse !== undefined) this.argParser(parse)
  }

  /** @throws TwofoldError `invalid-argument`, with `source` in the message */
  read(value: ConfigValue, source: string): unknown {
    if (this.isBoolean()) return readBoolean(value, source)
    if (this.variadic) return typeof value === 'object' ? value : String(value).split(',')
    if (typeof value === 'object' && this.#parse === undefined) return value.join(',')
    try {
      return this.#parse === undefined ? String(value) : this.#parse(String(value))
    } catch (error) {
      if (error instanceof TwofoldError) throw new TwofoldError(error.code, `${source}: ${error.message}`)
      throw error
    }
  }
}

/** Fills in what the command line left open: the variable first, then the config file. */
export async function applySettings(command: Command, environment: Environment): Promise<void> {
  const open = command.options.filter(
    (option): option is Setting => option instanceof Setting && !isGiven(command, option),
  )
  if (open.length === 0) return
  const path = configPath(environment)
  const config = await readConfig(path)
  for (const option of open) {
    const variable = environment[option.variable]
    const configured = config.get(option.name())
    if (variable !== undefined && variable !== '') set(command, option, option.read(variable, option.variable), 'env')
    else if (configured !== undefined) {
      set(command, option, option.read(configured, `"${option.name()}" in ${path}`), 'config')
    }
  }
}

function isGiven(command: Command, option: Option): boolean {
  return command.getOptionValueSource(option.attributeName()) === 'cli'
}

function set(command: Command, option: Option, value: unknown, source: 'env' | 'config'): void {
  command.setOptionValueWithSource(option.attributeName(), value, source)
}

export function readBoolean(value: ConfigValue, source: string): boolean {
  const text = String(value).toLowerCase()
  if (['1', 'true', 'yes', 'on'].includes(text)) return true
  if (['', '0', 'false', 'no', 'off'].includes(text)) return false
  throw new TwofoldError('invalid-argument', `${source} must be true or false, not "${text}"`)
}
