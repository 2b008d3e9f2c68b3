import mocha from 'mocha'

const { constants } = mocha.Runner
const { Spec } = mocha.reporters

/** Mocha's `spec` with a last line of its own, `12 passed, 0 failed`, and before it one of what was skipped, if any. */
export default class Reporter extends Spec {
  constructor(runner: mocha.Runner, options: mocha.MochaOptions) {
    super(runner, options)
    runner.once(constants.EVENT_RUN_END, () => {
      const { passes = 0, failures = 0, pending = 0 } = this.stats
      if (pending > 0) process.stdout.write(`${pending} skipped: their names say why\n`)
      process.stdout.write(`${passes} passed, ${failures} failed\n`)
    })
  }
}
