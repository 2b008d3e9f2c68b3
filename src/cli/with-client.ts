import { hostname, userInfo } from 'node:os'
import { connectClient } from '../client/index.ts'
import type { Client } from '../client/index.ts'
import { createLogger } from '../system/logger.ts'
import { systemRandom } from '../system/random.ts'
import type { ClusterOptions, Run } from './command-setup.ts'
import { readProgramName } from './program-version.ts'

/** Runs `work` with a client of the cluster that the options name, and closes it. */
export async function withClient<T>(run: Run<ClusterOptions>, work: (client: Client) => Promise<T>): Promise<T> {
  const client = await connectClient({
    managers: splitAddresses(run.options.manager),
    clock: run.cli.clock,
    random: systemRandom,
    logger: createLogger({
      level: run.cli.environment['TWOFOLD_LOG'] ?? 'silent',
      name: 'twofold',
      destination: 'stderr',
    }),
    hostName: hostname(),
    userName: currentUser(),
    program: await readProgramName(),
  })
  try {
    return await work(client)
  } finally {
    client.close()
  }
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
