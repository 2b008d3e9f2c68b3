import { expect } from 'chai'
import { runProgram } from '../../../src/cli/program.ts'
import { splitLine } from '../../../src/cli/split-line.ts'
import { captureTerminal, surroundingsOf } from './fake-cli.ts'

/** What may come next, as fish gets it: nobody answers at the manager's address. */
async function complete(...words: string[]): Promise<string[]> {
  const { terminal, out, err } = captureTerminal()
  const surroundings = surroundingsOf(terminal, { TWOFOLD_MANAGER: '127.0.0.1:1' })
  expect(await runProgram(['complete', 'fish', '--', ...words], surroundings)).to.equal(0)
  expect(err()).to.equal('')
  return out()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split('\t')[0] ?? '')
}

describe('completion', () => {
  it('knows the commands, also behind options', async () => {
    expect(await complete('ba')).to.deep.equal(['backup'])
    expect(await complete('-m', 'nowhere:1', 'resto')).to.deep.equal(['restore'])
    expect(await complete('help', 'sna')).to.deep.equal(['snapshots'])
    expect(await complete(''))
      .to.include('files')
      .and.not.to.include('complete')
  })

  it('knows the options of a command and of its subcommands', async () => {
    expect(await complete('backup', '--exclude-l')).to.deep.equal(['--exclude-larger-than'])
    expect(await complete('manager', 'recover', '--from')).to.deep.equal(['--from-nodes'])
    expect(await complete('files', '')).to.include('history')
    expect(await complete('nope', '')).to.deep.equal([])
  })

  it('knows the values of options that have few', async () => {
    expect(await complete('restore', 'latest', '--overwrite', 'n')).to.deep.equal(['never'])
    expect(await complete('restore', '--overwrite=if-c')).to.deep.equal(['--overwrite=if-changed'])
    expect(await complete('backup', '--compression', 'f')).to.deep.equal(['fastest'])
    expect(await complete('snapshots', '--times', '')).to.deep.equal(['absolute', 'relative', 'both', 'iso'])
    expect(await complete('completion', '')).to.deep.equal(['bash', 'zsh', 'fish'])
  })

  it('asks for names of files where they belong', async () => {
    expect(await complete('backup', '')).to.deep.equal([':files'])
    expect(await complete('restore', 'latest', '--target', '')).to.deep.equal([':files'])
    expect(await complete('backup', '--exclude-file', '')).to.deep.equal([':files'])
  })

  it('is silent when the cluster does not answer', async () => {
    expect(await complete('ls', 'l')).to.deep.equal(['latest'])
    expect(await complete('node', 'drain', '')).to.deep.equal([])
    expect(await complete('snapshots', '--host', '')).to.deep.equal([])
  })

  it('splits a line as a shell does', () => {
    expect(splitLine(`twofold ls "a b" c\\ d 'e`)).to.deep.equal(['twofold', 'ls', 'a b', 'c d', 'e'])
    expect(splitLine('twofold ls ')).to.deep.equal(['twofold', 'ls', ''])
  })

  it('has a script for each shell', async () => {
    for (const shell of ['bash', 'zsh', 'fish']) {
      const { terminal, out } = captureTerminal()
      expect(await runProgram(['completion', shell], surroundingsOf(terminal))).to.equal(0)
      expect(out()).to.include(`twofold complete ${shell} --`)
    }
  })
})
