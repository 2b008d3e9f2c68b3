import { join } from 'node:path'
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { Random } from '../core/random.ts'
import { startServer } from '../rpc/server.ts'
import { openDisk } from '../system/disk.ts'
import { systemClock } from '../system/clock.ts'
import { lockDirectory } from '../system/lock.ts'
import { systemRandom } from '../system/random.ts'
import { openSqliteCatalogue } from './catalogue-sqlite.ts'
import type { Catalogue } from './catalogue.ts'
import { managerService } from './manager-service.ts'
import { Manager } from './manager.ts'
import { recoveryService } from './recovery-service.ts'
import { Recovery } from './recovery/recovery.ts'
import type { RecoverySummary } from './recovery/rebuild.ts'
import type { ManagerTiming } from './timing.ts'

export interface ManagerOptions {
  /** Where the catalogue is; made when it is missing, and locked for this process alone. */
  readonly dataDirectory: string
  /** `host:port`; port 0 takes a free one. */
  readonly listen: string
  /** Listen on an address that others can reach, without encryption. */
  readonly insecure?: boolean
  readonly logger: Logger
  readonly clock?: Clock
  readonly random?: Random
  readonly timing?: Partial<ManagerTiming>
  readonly programVersion?: string
}

/** How long calls in progress may take once the manager is told to stop, in milliseconds. */
const drainMs = 10_000

/** Runs a manager until it is told to stop. `address` is where it listens; `stop` may be called more than once. */
export async function startManager(options: ManagerOptions): Promise<{ address: string; stop(): Promise<void> }> {
  const { logger, clock = systemClock, random = systemRandom } = options
  const lock = await lockDirectory(options.dataDirectory)
  let catalogue: Catalogue | undefined
  try {
    catalogue = openSqliteCatalogue(join(options.dataDirectory, 'catalogue.db'))
    const opened = catalogue
    const manager = await Manager.open({
      catalogue,
      clock,
      random,
      logger,
      timing: options.timing ?? {},
      programVersion: options.programVersion ?? '',
    })
    const server = await startServer({
      address: options.listen,
      services: [managerService(manager)],
      serving: () => opened.healthy(),
      insecure: options.insecure ?? false,
      logger,
      clock,
    })
    const background = new AbortController()
    const running = manager.run(background.signal)
    const shutDown = async (): Promise<void> => {
      await server.drain(drainMs)
      background.abort()
      await running
      await opened.close()
      lock.release()
    }
    let stopping: Promise<void> | undefined
    const stop = (): Promise<void> => (stopping ??= shutDown())
    logger.info('the manager is ready', { address: server.address, cluster: manager.clusterId })
    return { address: server.address, stop }
  } catch (error) {
    await catalogue?.close()
    lock.release()
    throw error
  }
}

export interface RecoverOptions extends Omit<ManagerOptions, 'timing'> {
  /** Names of nodes that are not waited for. */
  readonly without: readonly string[]
  readonly signal: AbortSignal
  /** Told when who has reported changes. */
  readonly onProgress: (progress: { readonly reported: readonly string[]; readonly missing: readonly string[] }) => void
}

const catalogueName = 'catalogue.db'
const draftName = 'recovering.db'
const recoveryPollMs = 200

/**
 * Makes the catalogue again from the nodes, and ends when the data directory has it. An older catalogue there is kept
 * beside it, as `catalogue-before-….db`.
 */
export async function recoverFromNodes(options: RecoverOptions): Promise<RecoverySummary> {
  const { logger, clock = systemClock, random = systemRandom, without, signal, dataDirectory } = options
  const lock = await lockDirectory(dataDirectory)
  const open: Catalogue[] = []
  try {
    const disk = await openDisk(dataDirectory)
    const names = (await disk.list('')).map((entry) => entry.name)
    for (const name of names.filter((each) => each.startsWith(draftName))) await disk.remove(name)
    const older = names.includes(catalogueName) ? openSqliteCatalogue(join(dataDirectory, catalogueName)) : undefined
    if (older !== undefined) open.push(older)
    const catalogue = openSqliteCatalogue(join(dataDirectory, draftName))
    open.push(catalogue)
    const recovery = await Recovery.open({ catalogue, older, without, clock, random, logger })
    const server = await startServer({
      address: options.listen,
      services: [recoveryService(recovery)],
      insecure: options.insecure ?? false,
      ...{ logger, clock, serving: () => true },
    })
    try {
      await untilReady(recovery, options, clock)
    } finally {
      await server.drain(drainMs)
    }
    signal.throwIfAborted()
    const summary = await recovery.finish()
    for (const each of open.splice(0)) await each.close()
    if (older !== undefined) await disk.rename(catalogueName, `catalogue-before-${summary.epoch}.db`)
    await disk.rename(draftName, catalogueName)
    await disk.syncDirectory('')
    return summary
  } finally {
    for (const each of open) await each.close()
    lock.release()
  }
}

async function untilReady(recovery: Recovery, options: RecoverOptions, clock: Clock): Promise<void> {
  let told = ''
  while (!recovery.ready) {
    const { reported, missing } = recovery
    const now = `${reported.join(' ')} / ${missing.join(' ')}`
    if (now !== told) options.onProgress({ reported, missing })
    told = now
    await clock.sleep(recoveryPollMs, options.signal)
  }
}
