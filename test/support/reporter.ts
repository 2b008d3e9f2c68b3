import mocha from 'mocha'
import { describeCounts } from './test-counts.ts'

const { constants } = mocha.Runner
const { Spec } = mocha.reporters

/** How long a run may go on after its last test before what it left open counts as a failure, in ms. */
const leaveMs = 60_000

/**
 * Mocha's `spec` with last lines of its own: what failed, so that it is found where a log is cut, how many were
 * skipped, and `12 passed, 0 failed`.
 */
export default class Reporter extends Spec {
  constructor(runner: mocha.Runner, options: mocha.MochaOptions) {
    super(runner, options)
    const failures: string[] = []
    runner.on(constants.EVENT_TEST_FAIL, (test: mocha.Test, error: Error) => {
      failures.push(`${test.fullTitle()}: ${error.message.split('\n')[0]}`)
    })
    runner.once(constants.EVENT_RUN_END, () => {
      const { passes = 0, failures: failed = 0, pending = 0 } = this.stats
      const counts = { passed: passes, failed, skipped: pending, failures }
      process.stdout.write(`${describeCounts(counts).join('\n')}\n`)
      setTimeout(() => {
        process.stderr.write(`still open after the last test: ${process.getActiveResourcesInfo().join(', ')}\n`)
        process.exit(1)
      }, leaveMs).unref()
    })
  }
}
