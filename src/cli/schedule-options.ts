import { readFile } from 'node:fs/promises'
import { Option } from 'commander'
import type { Command } from 'commander'
import { createExcludes, parseExcludeFile } from '../client/index.ts'
import type { Client } from '../client/index.ts'
import { TwofoldError } from '../core/errors.ts'
import { isEmptyPolicy } from '../core/retention.ts'
import { readTiming } from '../core/schedule-timing.ts'
import type { Schedule, ScheduleSpec, ScheduleTiming } from '../core/schedules.ts'
import { argumentBytes } from './argument-bytes.ts'
import { collect, collectList } from './command-setup.ts'
import type { ClusterOptions, Run } from './command-setup.ts'
import { addKeepOptions, toPolicy } from './retention-options.ts'
import type { KeepOptions } from './retention-options.ts'

/** What a person may decide about a schedule. */
export interface SpecOptions extends ClusterOptions, KeepOptions {
  readonly every?: string
  readonly at?: string
  readonly timeZone?: string
  readonly exclude?: readonly string[]
  readonly excludeFile?: readonly string[]
  readonly excludeCaches?: boolean
  readonly oneFileSystem?: boolean
  readonly tag?: readonly string[]
  readonly before?: string
  readonly after?: string
  readonly clear?: readonly Part[]
}

/** Which schedule, where not by an operand. */
export interface PlaceOptions extends ClusterOptions {
  readonly agent?: string
  readonly path?: string
}

/** What an edit can take back. */
const parts = ['excludes', 'tags', 'keep', 'hooks'] as const
type Part = (typeof parts)[number]

export function addSpecOptions(command: Command): Command {
  command
    .option('--every <span>', 'again after so long: 15m, 1h30m, 2d')
    .option('--at <time>', `at these times: "mon..fri 02:30", "daily", "*-*-01 04:00", or cron's "30 2 * * 1-5"`)
    .option('--time-zone <name>', `of --at, for example Europe/Berlin; this machine's unless given`)
    .option('-e, --exclude <pattern>', 'leave out what matches; may be repeated', collect)
    .option('--exclude-file <file>', 'a file with a pattern a line; may be repeated', collect)
    .option('--exclude-caches', 'leave out the content of folders with a CACHEDIR.TAG')
    .option('-x, --one-file-system', 'do not cross into other file systems')
    .option('--tag <tag>', 'a tag for its snapshots; may be repeated', collectList)
    .option('--before <hook>', 'run this hook of the agent before each backup; if it fails, nothing is saved')
    .option('--after <hook>', 'run this hook of the agent after each backup, whatever became of it')
  return addKeepOptions(command)
}

export function addClearOption(command: Command): Command {
  return command.addOption(new Option('--clear <parts...>', 'take these back').choices(parts))
}

/** Lets a schedule be named by agent and path, for paths that are hard to type or no text. */
export function addPlaceOptions(command: Command): Command {
  command.argument('[schedule]', 'its id, the beginning of it, or AGENT:PATH')
  return command
    .option('--agent <name>', 'with --path: whose schedule')
    .option('--path <path>', 'the path that it saves')
}

/** The id, or another reference, of the schedule that is meant. */
export async function findReference(client: Client, { cli, options, operands }: Run<PlaceOptions>): Promise<string> {
  const [operand] = operands
  const { agent, path } = options
  if (operand !== undefined && agent === undefined && path === undefined) return operand
  if (operand !== undefined || agent === undefined || path === undefined) {
    throw new TwofoldError(
      'invalid-argument',
      'name one schedule: by its id, as AGENT:PATH, or with --agent and --path',
    )
  }
  return (await client.schedules.find(agent, argumentBytes(path), { signal: cli.signal })).scheduleId
}

/** A new spec. @throws TwofoldError `invalid-argument`, `io` */
export async function newSpec(options: SpecOptions & { agent: string; path: string }): Promise<ScheduleSpec> {
  const timing = timingOf(options)
  if (timing === undefined)
    throw new TwofoldError('invalid-argument', 'say when: --every 15m, or --at "mon..fri 02:30"')
  return {
    agent: options.agent,
    path: argumentBytes(options.path),
    timing,
    vault: options.vault ?? '',
    excludes: await excludesOf(options),
    excludeCaches: options.excludeCaches ?? false,
    oneFileSystem: options.oneFileSystem ?? false,
    tags: options.tag ?? [],
    keep: toPolicy(options),
    hookBefore: options.before ?? '',
    hookAfter: options.after ?? '',
  }
}

/** The spec with what is given in the place of what was. @throws as `newSpec` */
export async function changedSpec({ spec }: Schedule, options: SpecOptions): Promise<ScheduleSpec> {
  const cleared = (part: Part): boolean => options.clear?.includes(part) ?? false
  const keep = toPolicy(options)
  const excludes = await excludesOf(options)
  const { every = '', timeZone = spec.timing.timeZone } = options
  const at = options.at ?? (options.timeZone === undefined ? '' : spec.timing.at)
  return {
    ...spec,
    timing: timingOf({ every, at, ...(timeZone === '' ? {} : { timeZone }) }) ?? spec.timing,
    vault: options.vault ?? spec.vault,
    excludes: excludes.length > 0 ? excludes : cleared('excludes') ? [] : spec.excludes,
    excludeCaches: options.excludeCaches ?? spec.excludeCaches,
    oneFileSystem: options.oneFileSystem ?? spec.oneFileSystem,
    tags: options.tag ?? (cleared('tags') ? [] : spec.tags),
    keep: isEmptyPolicy(keep) && !cleared('keep') ? spec.keep : keep,
    hookBefore: options.before ?? (cleared('hooks') ? '' : spec.hookBefore),
    hookAfter: options.after ?? (cleared('hooks') ? '' : spec.hookAfter),
  }
}

function timingOf({ every = '', at = '', timeZone }: Partial<SpecOptions>): ScheduleTiming | undefined {
  if (every === '' && at === '') return undefined
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone
  const timing = { every, at, timeZone: at === '' ? '' : (timeZone ?? here) }
  // What cannot be read is refused before anybody is asked.
  readTiming(timing)
  return timing
}

async function excludesOf({ exclude = [], excludeFile = [] }: SpecOptions): Promise<string[]> {
  const patterns = [...exclude]
  for (const file of excludeFile) {
    try {
      patterns.push(...parseExcludeFile(await readFile(file, 'utf8')))
    } catch (cause) {
      const words = cause instanceof Error ? cause.message : String(cause)
      throw new TwofoldError('io', `cannot read the list ${file}: ${words}`, { cause })
    }
  }
  createExcludes({ patterns })
  return patterns
}
