import type { Logger } from '../core/logger.ts'
import { createLogger } from '../system/logger.ts'
import type { CommonOptions, Run } from './command-setup.ts'
import { safeText } from '../core/safe-text.ts'
import { untilStdinEnds } from './stdin-watch.ts'

export interface RunningServer {
  /** Where it listens; absent for one that only asks others. */
  readonly address?: string
  /** What it says of itself at the start; that it listens unless given. */
  readonly says?: string
  /** Resolves when it is to stop, rejects when it cannot go on; absent when nothing but `stop` ends it. */
  readonly ended?: Promise<void>
  stop(): Promise<void>
}

/** Runs a server until the process is asked to stop; then it drains. Logs are JSON lines on stderr. */
export async function runServer<Options extends CommonOptions & { readonly logLevel?: string }>(
  run: Run<Options>,
  name: string,
  start: (logger: Logger) => Promise<RunningServer>,
): Promise<void> {
  const { cli, output, options } = run
  const logger = createLogger({ level: options.logLevel ?? 'info', name, destination: 'stderr' })
  const server = await start(logger)
  try {
    const { address, says = `${name} listens on ${address ?? ''}` } = server
    await output.record({ message_type: 'ready', ...(address === undefined ? {} : { address }) })
    await output.line(safeText(says))
    const asked = [untilAborted(cli.signal), untilStdinEnds(cli.stdin, cli.environment)]
    await Promise.race(server.ended === undefined ? asked : [...asked, server.ended])
  } finally {
    logger.info('stopping', server.address === undefined ? {} : { address: server.address })
    await server.stop()
  }
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
