import { expect } from 'chai'
import { runProgram } from '../../../src/cli/program.ts'
import { captureTerminal, surroundingsOf } from './fake-cli.ts'

/** What is said of a schedule that cannot be: nobody answers at the manager's address, and nobody is asked. */
async function add(...words: string[]): Promise<string> {
  const { terminal, err } = captureTerminal()
  const argv = ['schedule', 'add', '--agent', 'web1', '--path', '/srv', ...words]
  expect(await runProgram(argv, surroundingsOf(terminal, { TWOFOLD_MANAGER: '127.0.0.1:1' }))).to.equal(1)
  return err()
}

describe('a schedule on the command line', () => {
  it('with a calendar expression that cannot be read is refused, and where it goes wrong is said', async () => {
    expect(await add('--at', 'mon..fry 02:30'))
      .to.contain('fry')
      .and.to.contain('at character 6')
    expect(await add('--at', '25:00')).to.contain('at character 1')
    expect(await add('--at', '61 2 * * *')).to.contain('at character 1')
    expect(await add('--at', 'daily', '--time-zone', 'Mars/Olympus')).to.contain('Mars/Olympus')
  })

  it('with a span of nothing, or of no unit, is refused', async () => {
    expect(await add('--every', '0s')).to.contain('at least 10s apart')
    expect(await add('--every', '15')).to.contain('15')
    expect(await add()).to.contain('--every 15m')
    expect(await add('--every', '1h', '--at', 'daily')).to.contain('either')
  })
})
