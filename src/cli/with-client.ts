import { hostname, userInfo } from 'node:os'
import { connectClient } from '../client/index.ts'
import type { Client, ConnectOptions } from '../client/index.ts'
import { silentLogger } from '../core/logger.ts'
import type { Logger } from '../core/logger.ts'
import { systemRandom } from '../system/random.ts'
import type { ClusterOptions, Run } from './command-setup.ts'
import { formatDuration } from '../core/human-format.ts'
import { readProgramName } from './program-version.ts'
import { safeText } from '../core/safe-text.ts'

type Caller = Pick<ConnectOptions, 'logger' | 'userName'> & Partial<ConnectOptions>

/** A client of the cluster that the options name, for somebody on this machine. */
export function connectFrom(run: Pick<Run<ClusterOptions>, 'options' | 'cli'>, caller: Caller): Promise<Client> {
  return connectClient({
    managers: splitAddresses(run.options.manager),
    clock: run.cli.clock,
    random: systemRandom,
    hostName: hostname(),
    program: readProgramName(),
    ...caller,
  })
}

/** Runs `work` with a client of the cluster that the options name, and closes it. */
export async function withClient<T>(
  run: Run<ClusterOptions>,
  work: (client: Client) => Promise<T>,
  more: Partial<ConnectOptions> = {},
): Promise<T> {
  const logger = await openLogger(run.cli.environment['TWOFOLD_LOG'] ?? logLevel(run.verbosity))
  const logsCalls = logger !== silentLogger
  const client = await connectFrom(run, { logger, logsCalls, userName: currentUser(), ...more })
  const startedMs = run.cli.clock.monotonicMs()
  try {
    return await work(client)
  } finally {
    client.close()
    if (run.verbosity > 0 && !run.output.json) {
      const duration = formatDuration(run.cli.clock.monotonicMs() - startedMs)
      run.output.problem(`manager ${safeText(run.options.manager)}, ${duration}`)
    }
  }
}

/** Who wants no log need not wait for what writes one. */
async function openLogger(level: string): Promise<Logger> {
  if (level === 'silent') return silentLogger
  const { createLogger } = await import('../system/logger.ts')
  return createLogger({ level, name: 'twofold', destination: 'stderr' })
}

/** What `-v` says goes first to what a command has to tell; its log is for whoever asks for more. */
function logLevel(verbosity: number): string {
  return verbosity >= 3 ? 'debug' : verbosity === 2 ? 'info' : 'silent'
}

export function splitAddresses(text: string): string[] {
  return text
    .split(',')
    .map((address) => address.trim())
    .filter((address) => address !== '')
}

function currentUser(): string {
  try {
    return userInfo().username
  } catch {
    // A user id without an entry in the password file, as in many containers.
    return String(process.getuid?.() ?? '')
  }
}
