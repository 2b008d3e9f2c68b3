import mocha from 'mocha'

const { constants } = mocha.Runner
const { Spec } = mocha.reporters

/** Mocha's `spec` with a last line of its own: `12 passed, 0 failed`, and `, 1 skipped` when there is any. */
export default class Reporter extends Spec {
  constructor(runner: mocha.Runner, options: mocha.MochaOptions) {
    super(runner, options)
    runner.once(constants.EVENT_RUN_END, () => {
      const { passes = 0, failures = 0, pending = 0 } = this.stats
      const skipped = pending > 0 ? `, ${pending} skipped` : ''
      process.stdout.write(`${passes} passed, ${failures} failed${skipped}\n`)
    })
  }
}
