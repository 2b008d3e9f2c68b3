import { expect } from 'chai'
import { Writable } from 'node:stream'
import { Output } from '../../../src/cli/output.ts'
import { drawProgress } from '../../../src/cli/progress-line.ts'
import { RateMeter } from '../../../src/core/rate-meter.ts'
import { RunDisplay } from '../../../src/cli/run-display.ts'
import type { ProgressEvent } from '../../../src/client/index.ts'
import { TwofoldError } from '../../../src/core/errors.ts'
import { textWidth } from '../../../src/core/text-width.ts'
import { captureTerminal } from './fake-cli.ts'

const status: ProgressEvent = {
  type: 'status',
  secondsElapsed: 2,
  secondsRemaining: 2,
  totalFiles: 10,
  filesDone: 5,
  totalBytes: 1000,
  bytesDone: 500,
  bytesSent: 400,
  errorCount: 1,
  currentFiles: ['/home/\x1b[2Jevil'],
  waitingFor: [],
}

describe('output', () => {
  it('speaks to people or to programs, never to both', async () => {
    const human = captureTerminal()
    const forPeople = new Output(human.terminal, { json: false })
    await forPeople.line('hello')
    await forPeople.record({ hello: 1 })
    expect(human.out()).to.equal('hello\n')

    const machine = captureTerminal({ colour: true })
    const forPrograms = new Output(machine.terminal, { json: true })
    await forPrograms.line('hello')
    await forPrograms.record({ hello: 1 })
    expect(machine.out()).to.equal('{"hello":1}\n')
    expect(forPrograms.style.red('x')).to.equal('x')
  })

  it('ends with one line on stderr, whatever is in the message', () => {
    const { terminal, err, out } = captureTerminal()
    const code = new Output(terminal, { json: false }).fatal(new TwofoldError('not-enough-nodes', 'no\nnodes\x1b[0m'))
    expect(code).to.equal(14)
    expect(err()).to.equal('twofold: no\\nnodes\\x1b[0m\n')
    expect(out()).to.equal('')
  })

  it('ends with exit_error for programs', () => {
    const { terminal, err } = captureTerminal()
    new Output(terminal, { json: true }).fatal(new TwofoldError('not-found', 'no such snapshot'))
    expect(JSON.parse(err())).to.deep.equal({ message_type: 'exit_error', code: 10, message: 'no such snapshot' })
  })

  it('waits when the reader is slow', async () => {
    let release: (() => void) | undefined
    const stdout = new Writable({ highWaterMark: 4, write: (_chunk, _encoding, done) => void (release = done) })
    const output = new Output({ ...captureTerminal().terminal, stdout }, { json: false })
    let printed = false
    const printing = output.line('longer than four bytes').then(() => (printed = true))
    await new Promise(setImmediate)
    expect(printed).to.equal(false)
    release?.()
    await printing
    expect(printed).to.equal(true)
  })

  it('draws a status in place only when somebody watches, and clears it before other lines', async () => {
    const watched = captureTerminal({ interactive: true })
    const output = new Output(watched.terminal, { json: false })
    output.status('50 %')
    await output.line('done')
    expect(watched.out()).to.equal('\r50 %\x1b[K\r\x1b[Kdone\n')

    const piped = captureTerminal()
    new Output(piped.terminal, { json: false }).status('50 %')
    expect(piped.out()).to.equal('')
  })
})

describe('the display of a run', () => {
  const statusFields = (): Record<string, unknown> => ({ files_done: 5 })

  it('draws a bar with rate and time to go that fits, and no control characters of names', () => {
    const { terminal, out } = captureTerminal({ interactive: true, columns: 100 })
    new RunDisplay(new Output(terminal, { json: false }), { verbosity: 0, statusFields }).show(status)
    expect(out()).to.match(/\[=+> +\] +50\.0% {2}5\/10 files, 500 B of 1000 B, 250 B\/s, ETA 2\.0 s, 1 errors/)
    expect(out()).not.to.include('\x1b[2J')
  })

  it('shows no share of what is not known, and nothing as all done before it has ended', () => {
    const shown = (more: object): string => {
      const { terminal, out } = captureTerminal({ interactive: true, columns: 100 })
      const event = { ...status, totalFiles: 5, totalBytes: 500, ...more }
      new RunDisplay(new Output(terminal, { json: false }), { verbosity: 0, statusFields }).show(event)
      return out()
    }
    expect(shown({})).to.include(' 99.9%')
    expect(shown({ open: true }))
      .to.include('5 files, 500 B so far, ')
      .and.not.to.include('%')
    expect(shown({ ended: true })).to.include('100.0%')
  })

  it('never draws wider than the terminal', () => {
    for (const columns of [20, 60, 80, 200]) {
      const view = {
        ...{ secondsElapsed: 1, secondsRemaining: 5, filesDone: 1, totalFiles: 2, bytesDone: 1, totalBytes: 2 },
        ...{ bytesPerSecond: 3, errors: 0, currentFile: '/日本/'.repeat(40), waitingFor: [] },
      }
      expect(textWidth(drawProgress(view, columns))).to.be.lessThan(columns)
    }
  })

  it('prints restic status lines for programs', () => {
    const { terminal, out } = captureTerminal()
    new RunDisplay(new Output(terminal, { json: true }), { verbosity: 0, statusFields }).show(status)
    expect(JSON.parse(out())).to.deep.equal({
      message_type: 'status',
      seconds_elapsed: 2,
      seconds_remaining: 2,
      percent_done: 0.5,
      total_files: 10,
      total_bytes: 1000,
      files_done: 5,
    })
  })

  it('tells problems on stderr in both languages', () => {
    const problem: ProgressEvent = { type: 'problem', path: '/a\nb', during: 'read', message: 'permission denied' }
    const people = captureTerminal()
    new RunDisplay(new Output(people.terminal, { json: false }), { verbosity: 0, statusFields }).show(problem)
    expect(people.err()).to.equal('read: /a\\nb: permission denied\n')
    const programs = captureTerminal()
    new RunDisplay(new Output(programs.terminal, { json: true }), { verbosity: 0, statusFields }).show(problem)
    expect(JSON.parse(programs.err())).to.deep.include({ message_type: 'error', during: 'read', item: '/a\nb' })
  })

  it('shows packs with primary and replicas when asked', () => {
    const pack: ProgressEvent = {
      ...{ type: 'pack', packId: '0123456789abcdef', primary: 'n1', replicas: ['n2'], lengthBytes: 2048 },
      state: 'durable',
    }
    const quiet = captureTerminal()
    new RunDisplay(new Output(quiet.terminal, { json: false }), { verbosity: 0, statusFields }).show(pack)
    expect(quiet.out()).to.equal('')
    const verbose = captureTerminal()
    new RunDisplay(new Output(verbose.terminal, { json: false }), { verbosity: 1, statusFields }).show(pack)
    expect(verbose.out()).to.equal('pack 01234567    2.00 KiB  n1 → n2  durable\n')
  })
})

describe('the rate', () => {
  it('is that of the last seconds', () => {
    const meter = new RateMeter()
    expect(meter.add(1, 100)).to.equal(100)
    expect(meter.add(2, 300)).to.equal(200)
    for (let second = 3; second <= 20; second++) meter.add(second, 300)
    expect(meter.add(21, 300)).to.equal(0)
  })
})
