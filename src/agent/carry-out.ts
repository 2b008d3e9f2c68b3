import type { StartRun } from '../core/agents.ts'
import type { Clock } from '../core/clock.ts'
import { TwofoldError, toTwofoldError } from '../core/errors.ts'
import type { Logger } from '../core/logger.ts'
import type { RunResult, RunSizes, ScheduleSpec } from '../core/schedules.ts'
import { noSizes } from '../core/schedules.ts'
import { createExcludes } from '../client/index.ts'
import type { BackupSummary, Client, ProgressEvent } from '../client/index.ts'
import type { AgentHost } from './agent-host.ts'
import { Refusal, allowedPath } from './allowed-path.ts'

export interface CarryOutDeps {
  readonly client: Pick<Client, 'backup'>
  readonly host: AgentHost
  readonly clock: Clock
  readonly logger: Logger
  readonly name: string
  readonly allow: readonly Uint8Array[]
  /** Commands by their names. */
  readonly hooks: ReadonlyMap<string, string>
  /** The manager's time. */
  readonly nowMs: () => number
}

export interface Outcome {
  readonly state: RunResult
  readonly snapshotId: string
  readonly sizes: RunSizes
  readonly filesUnreadable: number
  readonly message: string
}

interface Control {
  readonly signal: AbortSignal
  readonly onSizes: (sizes: RunSizes) => void
}

/** Carries out one run. Never rejects: whatever happens is its outcome. */
export async function carryOut(deps: CarryOutDeps, order: StartRun, control: Control): Promise<Outcome> {
  try {
    const { spec } = order
    const before = hookOf(deps, spec.hookBefore)
    const after = hookOf(deps, spec.hookAfter)
    const path = await allowedPath(deps.host, deps.allow, spec.path)
    if (before !== undefined) await runHook(deps, { order, hook: before, result: '' }, control.signal)
    const outcome = await attempt(() => backUp(deps, { spec, path }, control), control.signal)
    if (after === undefined) return outcome
    return await afterwards(deps, { order, hook: after, outcome }, control.signal)
  } catch (error) {
    return failure(error, control.signal)
  }
}

async function attempt(work: () => Promise<Outcome>, signal: AbortSignal): Promise<Outcome> {
  try {
    return await work()
  } catch (error) {
    return failure(error, signal)
  }
}

function failure(error: unknown, signal: AbortSignal): Outcome {
  const { message } = signal.aborted ? toTwofoldError(signal.reason) : toTwofoldError(error)
  const state = signal.aborted ? 'cancelled' : error instanceof Refusal ? 'refused' : 'failed'
  return { state, message, snapshotId: '', sizes: noSizes, filesUnreadable: 0 }
}

async function backUp(
  { client, host, logger, name, nowMs }: CarryOutDeps,
  { spec, path }: { spec: ScheduleSpec; path: Uint8Array },
  { signal, onSizes }: Control,
): Promise<Outcome> {
  const onEvent = (event: ProgressEvent): void => {
    if (event.type === 'status') onSizes({ ...noSizes, files: event.filesDone, bytes: event.bytesDone })
    if (event.type === 'problem') logger.warn('a file could not be saved', { path: event.path, problem: event.message })
  }
  const patterns = [...spec.excludes]
  const request = {
    source: host.openSource(),
    paths: [path],
    host: name,
    vault: spec.vault,
    tags: spec.tags,
    excludes: createExcludes({ patterns, caches: spec.excludeCaches, ignoreFiles: true }),
    excludePatterns: patterns,
    oneFileSystem: spec.oneFileSystem,
    skipIfUnchanged: true,
    countAhead: false,
    timeNs: BigInt(Math.round(nowMs())) * 1_000_000n,
  }
  return toOutcome(await client.backup(request, { signal, onEvent, fileEvents: false }))
}

function toOutcome({ snapshot, parent = '', unchanged = false, stats, problems }: BackupSummary): Outcome {
  const { filesNew, filesChanged, filesUnmodified, totalBytes, readBytes, newBytes, storedBytes } = stats
  const files = filesNew + filesChanged + filesUnmodified
  const sizes = { files, bytes: totalBytes, filesNew, filesChanged, readBytes, newBytes, storedBytes }
  const message = problems === 0 ? '' : `${problems} files could not be read; the agent's log names them`
  const state = unchanged ? 'unchanged' : 'saved'
  return { state, snapshotId: snapshot?.id ?? parent, sizes, filesUnreadable: problems, message }
}

interface Hook {
  readonly name: string
  readonly command: string
}

/** @throws Refusal for one that the agent was not started with */
function hookOf({ hooks }: CarryOutDeps, name: string): Hook | undefined {
  if (name === '') return undefined
  const command = hooks.get(name)
  if (command !== undefined) return { name, command }
  const known = hooks.size === 0 ? 'it has none' : `it has ${[...hooks.keys()].join(', ')}`
  throw new Refusal(`this agent has no hook "${name}" (${known}): start it with --hook ${name}=COMMAND`)
}

interface HookRun {
  readonly order: StartRun
  readonly hook: Hook
  /** How the backup ended; empty before it. */
  readonly result: string
}

/** @throws TwofoldError `failed-precondition` when it fails */
async function runHook(deps: CarryOutDeps, { order, hook, result }: HookRun, signal: AbortSignal): Promise<void> {
  const environment = {
    TWOFOLD_AGENT: deps.name,
    TWOFOLD_PATH: Buffer.from(order.spec.path).toString(),
    TWOFOLD_SCHEDULE: order.scheduleId,
    TWOFOLD_RUN: String(order.number),
    TWOFOLD_RESULT: result,
  }
  const { exitCode, output, timedOut } = await deps.host.runHook(hook.command, { environment, signal })
  if (exitCode === 0) return
  const how = timedOut ? 'took too long' : exitCode === undefined ? 'was killed' : `ended with ${exitCode}`
  const said = output.trim() === '' ? '' : `: ${output.trim()}`
  throw new TwofoldError('failed-precondition', `the hook "${hook.name}" ${how}${said}`)
}

/** Runs the hook for afterwards; that it fails is told, but what was saved is saved. */
async function afterwards(
  deps: CarryOutDeps,
  { order, hook, outcome }: { order: StartRun; hook: Hook; outcome: Outcome },
  signal: AbortSignal,
): Promise<Outcome> {
  try {
    // Also after a run that was cancelled: it may have to undo what the one before did.
    const unstoppable = new AbortController().signal
    await runHook(deps, { order, hook, result: outcome.state }, signal.aborted ? unstoppable : signal)
    return outcome
  } catch (error) {
    const message = [outcome.message, toTwofoldError(error).message].filter((text) => text !== '').join('; ')
    return { ...outcome, message }
  }
}
