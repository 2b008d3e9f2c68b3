import type { Cli } from './cli.ts'

/** Does what goes on until somebody ends it: that is no failure then, and nothing to tell. */
export async function untilInterrupted(cli: Cli, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (!cli.signal.aborted) throw error
    cli.setExitCode(130)
  }
}
