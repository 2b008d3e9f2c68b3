import { basename, dirname, join } from 'node:path'
import type { Clock } from '../core/clock.ts'
import { TwofoldError } from '../core/errors.ts'
import type { Logger } from '../core/logger.ts'
import type { Random } from '../core/random.ts'
import { startServer } from '../rpc/server.ts'
import { openDisk } from '../system/disk.ts'
import { systemClock } from '../system/clock.ts'
import { lockDirectory } from '../system/lock.ts'
import { systemRandom } from '../system/random.ts'
import { adminService } from './admin-service.ts'
import { agentsService } from './agents-service.ts'
import { copySqliteCatalogue, openSqliteCatalogue } from './catalogue-sqlite.ts'
import type { Catalogue } from './catalogue.ts'
import { managerService } from './manager-service.ts'
import { Manager } from './manager.ts'
import { recoveryService } from './recovery-service.ts'
import { Recovery } from './recovery/recovery.ts'
import type { RecoverySummary } from './recovery/summary.ts'
import { schedulesService } from './schedules-service.ts'

export type { RecoverySummary } from './recovery/summary.ts'
import { catalogueCopier, unpackCopy } from './sqlite/catalogue-copier.ts'
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
  /** How fast one node sends for repair, in bytes a second; 0 means as fast as it goes. */
  readonly repairBytesPerSecondMax?: number
}

const catalogueName = 'catalogue.db'

/** How long calls in progress may take once the manager is told to stop, in milliseconds. */
const drainMs = 10_000

export interface RunningManager {
  readonly address: string
  /** Resolves when people have shut the cluster down. */
  readonly ended: Promise<void>
  stop(): Promise<void>
}

/** Runs a manager until it is told to stop. `address` is where it listens; `stop` may be called more than once. */
export async function startManager(options: ManagerOptions): Promise<RunningManager> {
  const { logger, clock = systemClock, random = systemRandom } = options
  const lock = await lockDirectory(options.dataDirectory)
  let catalogue: Catalogue | undefined
  try {
    catalogue = openSqliteCatalogue(join(options.dataDirectory, catalogueName))
    const opened = catalogue
    const manager = await Manager.open({
      catalogue,
      clock,
      random,
      logger,
      timing: options.timing ?? {},
      programVersion: options.programVersion ?? '',
      copier: catalogueCopier(options.dataDirectory, catalogueName),
      repairBytesPerSecondMax: options.repairBytesPerSecondMax ?? 0,
    })
    const server = await startServer({
      address: options.listen,
      services: [
        managerService(manager),
        adminService(manager.admin, manager.nodeAdmin),
        schedulesService(manager.scheduling.schedules),
        agentsService(manager.scheduling.agents),
      ],
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
    return { address: server.address, ended: manager.ended, stop }
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

/** Copies a catalogue to a new file, whether a manager works on it or not. */
export async function backUpCatalogue(dataDirectory: string, target: string): Promise<void> {
  const names = (await (await openDisk(dataDirectory)).list('')).map((entry) => entry.name)
  if (!names.includes(catalogueName)) {
    throw new TwofoldError('not-found', `there is no catalogue in ${dataDirectory}; --data says where it is`)
  }
  const disk = await openDisk(dirname(target))
  if ((await disk.list('')).some((entry) => entry.name === basename(target))) {
    throw new TwofoldError('already-exists', `${target} exists already; name a file that does not`)
  }
  copySqliteCatalogue(join(dataDirectory, catalogueName), target)
  await disk.syncDirectory('')
}

/** What is no catalogue is refused before anything is moved. */
async function requireCatalogue(source: string): Promise<void> {
  const copy = openSqliteCatalogue(source)
  try {
    if ((await copy.read((tx) => tx.settings.get('cluster-id'))) !== undefined) return
    throw new TwofoldError('invalid-argument', 'the file is no catalogue of a cluster')
  } finally {
    await copy.close()
  }
}

/** Puts a copy in the place of the catalogue. @returns the file that has the one of before, if there was one. */
export async function restoreCatalogue(dataDirectory: string, source: string): Promise<string | undefined> {
  const here = (await (await openDisk(dirname(source))).list('')).map((entry) => entry.name)
  if (!here.includes(basename(source))) throw new TwofoldError('not-found', `there is no file ${source}`)
  const lock = await lockDirectory(dataDirectory)
  try {
    const disk = await openDisk(dataDirectory)
    const names = (await disk.list('')).map((entry) => entry.name)
    for (const name of names.filter((each) => each.startsWith(draftName))) await disk.remove(name)
    const draft = join(dataDirectory, draftName)
    const unpacked = await unpackCopy(source, draft)
    if (!unpacked) copySqliteCatalogue(source, draft)
    await requireCatalogue(draft)
    let kept: string | undefined
    if (names.includes(catalogueName)) {
      // Opening and closing it brings what is in its write-ahead log into the file.
      await openSqliteCatalogue(join(dataDirectory, catalogueName)).close()
      for (let number = 1; kept === undefined || names.includes(kept); number++) kept = `catalogue-kept-${number}.db`
      await disk.rename(catalogueName, kept)
    }
    await disk.rename(draftName, catalogueName)
    await disk.syncDirectory('')
    return kept
  } finally {
    lock.release()
  }
}
