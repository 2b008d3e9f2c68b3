import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import { hookMsMax, hookOutputBytesMax } from '../core/schedule-limits.ts'
import { SourceConfined } from '../client/index.ts'
import type { Client } from '../client/index.ts'
import { systemRandom } from '../system/random.ts'
import { realPath } from '../system/real-path.ts'
import { runCommand } from '../system/run-command.ts'
import { Agent } from './agent.ts'
import type { AgentHost } from './agent-host.ts'

export interface AgentOptions {
  readonly client: Client
  readonly clock: Clock
  readonly logger: Logger
  readonly name: string
  /** Below what it backs up anything: absolute. */
  readonly allow: readonly Uint8Array[]
  /** Commands by their names. */
  readonly hooks: ReadonlyMap<string, string>
  readonly runsMax: number
  readonly hostName: string
  readonly programVersion: string
}

/**
 * Runs an agent until it is told to stop. `ended` rejects when it cannot go on; `stop` may be called more than once.
 */
export function startAgent(options: AgentOptions): { ended: Promise<void>; stop(): Promise<void> } {
  const { clock } = options
  const host: AgentHost = {
    realPath,
    openSource: () => new SourceConfined(clock),
    runHook: (command, { environment, signal }) =>
      runCommand(command, { environment, signal, msMax: hookMsMax, outputBytesMax: hookOutputBytesMax }),
  }
  const agent = new Agent({ ...options, host, random: systemRandom })
  const controller = new AbortController()
  const ended = agent.run(controller.signal)
  const stop = async (): Promise<void> => {
    controller.abort()
    // A failure is for whoever waits for the end.
    await ended.catch(() => undefined)
  }
  return { ended, stop }
}
