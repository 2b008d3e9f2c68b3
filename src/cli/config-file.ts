import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { TwofoldError } from '../core/errors.ts'

export type ConfigValue = string | number | boolean | readonly string[]

type Environment = Readonly<Record<string, string | undefined>>

/** `$XDG_CONFIG_HOME/twofold/config.yaml`, or what `TWOFOLD_CONFIG` names. */
export function configPath(environment: Environment): string {
  const named = environment['TWOFOLD_CONFIG']
  if (named !== undefined && named !== '') return named
  const xdg = environment['XDG_CONFIG_HOME']
  const base = xdg !== undefined && xdg.startsWith('/') ? xdg : join(environment['HOME'] ?? homedir(), '.config')
  return join(base, 'twofold', 'config.yaml')
}

/**
 * The settings of the config file by the long names of their options; none when there is no file.
 * @throws TwofoldError `invalid-argument` when it is no mapping of names to plain values, `io` when it cannot be read
 */
export async function readConfig(path: string): Promise<ReadonlyMap<string, ConfigValue>> {
  const text = await readIfThere(path)
  if (text === undefined) return new Map()
  const { parse } = await import('yaml')
  let parsed: unknown
  try {
    parsed = parse(text)
  } catch (cause) {
    const words = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause)
    throw new TwofoldError('invalid-argument', `${path} is no YAML: ${words}`, { cause })
  }
  if (parsed === null || parsed === undefined) return new Map()
  if (typeof parsed !== 'object' || Array.isArray(parsed)) {
    throw new TwofoldError('invalid-argument', `${path} must be lines of "name: value"`)
  }
  return new Map(Object.entries(parsed).map(([name, value]) => [name, checkValue(path, name, value)]))
}

function checkValue(path: string, name: string, value: unknown): ConfigValue {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value
  throw new TwofoldError('invalid-argument', `${path}: "${name}" must be a text, a number, true, false or a list`)
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    const words = cause instanceof Error ? cause.message : String(cause)
    throw new TwofoldError('io', `cannot read the config file ${path}: ${words}`, { cause })
  }
}
