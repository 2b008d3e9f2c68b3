import { expect } from 'chai'
import { Command } from 'commander'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { absoluteArgument, absolutePath } from '../../../src/cli/argument-bytes.ts'
import { collectExcludes, collectPaths } from '../../../src/cli/backup-sources.ts'
import { commands } from '../../../src/cli/commands.ts'
import { configPath, readConfig } from '../../../src/cli/config-file.ts'
import { exitCodeOf, exitCodes } from '../../../src/cli/exit-codes.ts'
import { runProgram } from '../../../src/cli/program.ts'
import { applySettings, Setting } from '../../../src/cli/setting.ts'
import { parseDuration } from '../../../src/cli/quantities.ts'
import { errorCodes } from '../../../src/core/errors.ts'
import { captureTerminal, surroundingsOf } from './fake-cli.ts'

async function run(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  const { terminal, out, err } = captureTerminal()
  const code = await runProgram(argv, surroundingsOf(terminal))
  return { code, out: out(), err: err() }
}

describe('the program', () => {
  it('prints its version and its help', async () => {
    expect((await run('--version')).out).to.match(/^twofold \d+\.\d+\.\d+\n$/)
    const help = await run('--help')
    expect(help.code).to.equal(0)
    for (const { name } of commands) expect(help.out).to.match(new RegExp(`^  ${name} `, 'm'))
  })

  it('prints its help without a command where nobody can look at the full-screen client', async () => {
    const { code, out, err } = await run()
    expect({ code, err }).to.deep.equal({ code: 0, err: '' })
    expect(out).to.equal((await run('--help')).out)
    const piped = captureTerminal({ interactive: true })
    expect(await runProgram([], surroundingsOf(piped.terminal))).to.equal(0)
    expect(piped.out()).to.include('Usage: twofold COMMAND')
  })

  it('shows an example and its exit codes in the help of every command', async () => {
    for (const { name } of commands) {
      const { code, out } = await run(name, '--help')
      expect(code).to.equal(0)
      expect(out, name).to.match(new RegExp(`Examples:\\n.*twofold ${name}`))
      expect(out, name).to.match(/Exit codes:\n +0 {2}it worked/)
      if (name !== 'files') expect(out, name).to.include('--json')
    }
    expect((await run('help', 'ls')).out).to.include('Usage: twofold ls')
  })

  it('answers wrong usage with one line and 1', async () => {
    const wrong = [
      ['nope'],
      ['--nope'],
      ['ls'],
      ['ls', '--nope', 'x'],
      ['backup'],
      ['restore', 'latest'],
      ['nodes', 'x'],
      ['files'],
    ]
    for (const argv of wrong) {
      const { code, err, out } = await run(...argv)
      expect(code, argv.join(' ')).to.equal(1)
      expect(err.split('\n'), argv.join(' ')).to.have.length(2)
      expect(err).to.match(/^twofold: /)
      expect(out).to.equal('')
    }
  })

  it('takes options before the command as well', async () => {
    const { err } = await run('--json', '-m', 'nowhere:1', 'ls')
    expect(JSON.parse(err)).to.include({ message_type: 'exit_error', code: 1 })
  })

  it('takes options before and behind the name of a subcommand', async () => {
    for (const argv of [
      ['node', 'drain', 'n1', '--json', '-m', 'nonsense'],
      ['--json', '-m', 'nonsense', 'node', 'drain', 'n1'],
    ]) {
      const { err } = await run(...argv)
      expect((JSON.parse(err) as { message: string }).message, argv.join(' ')).to.include('host:port')
    }
  })

  it('suggests what was probably meant', async () => {
    expect((await run('snapshto')).err).to.include('did you mean "snapshots"?')
    expect((await run('node', 'dran', 'n1')).err).to.include('did you mean "drain"?')
    expect((await run('files', 'histroy', 'x')).err).to.include('history')
    expect((await run('ls', '--hots', 'x', 'latest')).err).to.include('--host')
    expect((await run('--hlep')).err).to.include('did you mean "--help"?')
  })

  it('has an exit code for every kind of failure', () => {
    for (const code of errorCodes) expect(exitCodes).to.have.property(String(exitCodeOf[code]))
    expect(exitCodeOf['not-enough-nodes']).to.equal(14)
    expect(exitCodeOf.integrity).to.equal(16)
  })
})

describe('settings', () => {
  let folder: string
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'twofold-settings-'))))
  afterEach(() => rmSync(folder, { recursive: true }))

  async function resolve(
    argv: readonly string[],
    { variables = {}, config }: { variables?: Record<string, string>; config?: string },
  ): Promise<Record<string, unknown>> {
    const path = join(folder, 'config.yaml')
    if (config !== undefined) writeFileSync(path, config)
    const command = new Command()
      .addOption(new Setting('--manager <address>', 'where').default('the default'))
      .addOption(new Setting('--json', 'JSON'))
      .addOption(new Setting('--dead-after <time>', 'when', parseDuration))
      .option('--tag <tag>', 'no setting')
    command.exitOverride().parse([...argv], { from: 'user' })
    await applySettings(command, { ...variables, TWOFOLD_CONFIG: path })
    return command.opts()
  }

  it('come from the option, then the variable, then the file, then the default', async () => {
    const config = 'manager: from-file\n'
    const variables = { TWOFOLD_MANAGER: 'from-variable' }
    expect(await resolve(['--manager', 'from-option'], { variables, config })).to.include({ manager: 'from-option' })
    expect(await resolve([], { variables, config })).to.include({ manager: 'from-variable' })
    expect(await resolve([], { config })).to.include({ manager: 'from-file' })
    rmSync(join(folder, 'config.yaml'))
    expect(await resolve([], {})).to.include({ manager: 'the default' })
  })

  it('are read as what they are', async () => {
    const config = 'json: true\ndead-after: 5s\ntag: x\n'
    expect(await resolve([], { config }))
      .to.include({ json: true, deadAfter: 5000 })
      .and.not.to.have.property('tag')
    expect(await resolve([], { variables: { TWOFOLD_JSON: '0' }, config })).to.include({ json: false })
    expect(await resolve([], { config: 'manager: [a:1, b:2]' })).to.include({ manager: 'a:1,b:2' })
  })

  it('name the place of a mistake', async () => {
    const cases: readonly (readonly [Parameters<typeof resolve>[1], RegExp])[] = [
      [{ variables: { TWOFOLD_DEAD_AFTER: '5' } }, /^TWOFOLD_DEAD_AFTER: "5" is no duration/],
      [{ config: 'dead-after: 5' }, /"dead-after" in .*config.yaml: "5" is no duration/],
      [{ config: 'json: maybe' }, /must be true or false/],
      [{ config: 'a: [' }, /is no YAML/],
      [{ config: 'just text' }, /must be lines of/],
      [{ config: 'manager: {a: 1}' }, /"manager" must be/],
    ]
    for (const [sources, message] of cases) {
      const failure = await resolve([], sources).then(
        () => new Error('it was accepted'),
        (error: Error) => error,
      )
      expect(failure.message).to.match(message)
    }
  })

  it('come from the XDG directory unless a file is named', async () => {
    expect(configPath({ XDG_CONFIG_HOME: '/xdg' })).to.equal('/xdg/twofold/config.yaml')
    expect(configPath({ HOME: '/home/me' })).to.equal('/home/me/.config/twofold/config.yaml')
    expect(configPath({ XDG_CONFIG_HOME: 'relative', HOME: '/home/me' })).to.equal(
      '/home/me/.config/twofold/config.yaml',
    )
    expect(configPath({ TWOFOLD_CONFIG: '/named' })).to.equal('/named')
    expect([...(await readConfig('/nonexistent/config.yaml'))]).to.deep.equal([])
  })
})

describe('what to back up', () => {
  it('is absolute and tidy, byte for byte', () => {
    expect(absolutePath(Buffer.from('/a/../b//c/.')).toString()).to.equal('/b/c')
    expect(absoluteArgument('/a/b/').toString()).to.equal('/a/b')
    expect(absoluteArgument('.').toString()).to.equal(process.cwd())
    expect(absoluteArgument('/').toString()).to.equal('/')
    expect([...absolutePath(Buffer.from([0x2f, 0xff, 0xfe]))]).to.deep.equal([0x2f, 0xff, 0xfe])
  })

  it('comes from lists as well', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'twofold-lists-'))
    try {
      writeFileSync(join(folder, 'lines'), Buffer.from('# comment\n/a\r\n\n/b c\n'))
      const stdin = Readable.from([Buffer.from([0x2f, 0xff, 0, 0x2f, 0x0a, 0])])
      const options = { filesFrom: [join(folder, 'lines')], filesFromRaw: ['-'] }
      const paths = await collectPaths(['/z'], options, stdin)
      expect(paths.map((path) => Buffer.from(path).toString('latin1'))).to.deep.equal([
        '/z',
        '/a',
        '/b c',
        '/\xff',
        '/\n',
      ])
      writeFileSync(join(folder, 'excludes'), '*.tmp\n# no\n')
      const { patterns } = await collectExcludes({ exclude: ['/x'], excludeFile: [join(folder, 'excludes')] })
      expect(patterns).to.deep.equal(['/x', '*.tmp'])
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
