import { join } from 'node:path'
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { Random } from '../core/random.ts'
import { startServer } from '../rpc/server.ts'
import { systemClock } from '../system/clock.ts'
import { lockDirectory } from '../system/lock.ts'
import { systemRandom } from '../system/random.ts'
import { openSqliteCatalogue } from './catalogue-sqlite.ts'
import type { Catalogue } from './catalogue.ts'
import { managerService } from './manager-service.ts'
import { Manager } from './manager.ts'
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
