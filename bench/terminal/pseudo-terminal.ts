import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { constants, writeSync } from 'node:fs'
import { createRequire } from 'node:module'
import { StringDecoder } from 'node:string_decoder'
import { ReadStream } from 'node:tty'
import { systemClock } from '../../src/system/clock.ts'
import { TerminalScreen } from './terminal-screen.ts'

/** The system calls that make a pseudo-terminal. */
interface PtyCalls {
  posix_openpt(flags: number): number
  grantpt(fd: number): number
  unlockpt(fd: number): number
  ptsname_r(fd: number, buffer: Uint8Array, length: number): number
  ioctl(fd: number, request: number, size: Uint8Array): number
}

/** Undefined where there is no `koffi`, an optional package, to make the calls. */
export function loadPtyCalls(): PtyCalls | undefined {
  let koffi: { load(library: null): { func(prototype: string): unknown } }
  try {
    koffi = createRequire(import.meta.url)('koffi') as typeof koffi
  } catch {
    return undefined
  }
  const libc = koffi.load(null)
  return {
    posix_openpt: libc.func('int posix_openpt(int flags)') as PtyCalls['posix_openpt'],
    grantpt: libc.func('int grantpt(int fd)') as PtyCalls['grantpt'],
    unlockpt: libc.func('int unlockpt(int fd)') as PtyCalls['unlockpt'],
    ptsname_r: libc.func('int ptsname_r(int fd, void *buf, size_t buflen)') as PtyCalls['ptsname_r'],
    ioctl: libc.func('int ioctl(int fd, unsigned long request, void *argp)') as PtyCalls['ioctl'],
  }
}

/** Of Linux: a terminal is closed only when no process has it by inheritance. */
const closeOnExec = 0o2000000
const setWindowSize = 0x5414

const patienceMs = 120_000

/** A process on a terminal of its own, as a person would have it: what it shows can be read, and keys typed. */
export class PseudoTerminal {
  readonly screen: TerminalScreen
  readonly child: ChildProcess
  /** Resolves with the exit code, or the signal's name. */
  readonly ended: Promise<number | string>
  readonly #calls: PtyCalls
  readonly #fd: number
  readonly #output: ReadStream
  #closed = false

  constructor(
    calls: PtyCalls,
    command: { file: string; args: readonly string[]; environment: NodeJS.ProcessEnv },
    size = { columns: 80, rows: 24 },
  ) {
    this.#calls = calls
    this.screen = new TerminalScreen(size.columns, size.rows)
    this.#fd = calls.posix_openpt(constants.O_RDWR | constants.O_NOCTTY | closeOnExec)
    const name = Buffer.alloc(64)
    if (this.#fd < 0 || calls.grantpt(this.#fd) !== 0 || calls.unlockpt(this.#fd) !== 0) throw new Error('no pty')
    calls.ptsname_r(this.#fd, name, name.length)
    const path = name.toString('latin1', 0, name.indexOf(0))
    this.#setSize()
    // The leader of a new session that opens a terminal has it as its own, signals included.
    const script = 'exec <>"$0" >&0 2>&0; exec "$@"'
    this.child = spawn('/bin/sh', ['-c', script, path, command.file, ...command.args], {
      detached: true,
      stdio: 'ignore',
      env: { ...command.environment, TERM: 'xterm-256color' },
    })
    this.ended = new Promise((resolve) => this.child.once('exit', (code, signal) => resolve(signal ?? code ?? 1)))
    this.#output = new ReadStream(this.#fd)
    const decoder = new StringDecoder('utf8')
    this.#output.on('data', (data) => this.screen.write(decoder.write(data)))
    // EIO: nobody has the other side open any more.
    this.#output.on('error', () => undefined)
  }

  type(text: string): void {
    writeSync(this.#fd, text)
  }

  resize(columns: number, rows: number): void {
    this.screen.resize(columns, rows)
    this.#setSize()
  }

  /**
   * Waits for something to be on the screen.
   *
   * @throws Error when the process has ended, or two minutes later, and it is not there
   */
  async sees(...wanted: (string | RegExp)[]): Promise<string> {
    const limit = systemClock.monotonicMs() + patienceMs
    for (;;) {
      // Asked before the screen is read: what it wrote last is on it then.
      const over = this.#output.destroyed || systemClock.monotonicMs() > limit
      const text = this.screen.text()
      if (wanted.every((each) => (typeof each === 'string' ? text.includes(each) : each.test(text)))) return text
      if (over) throw new Error(`${wanted.join(', ')} is not on the screen:\n${text}`)
      await systemClock.sleep(10)
    }
  }

  /** As when the window is closed. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#output.destroy()
  }

  #setSize(): void {
    const size = Buffer.alloc(8)
    size.writeUInt16LE(this.screen.rows, 0)
    size.writeUInt16LE(this.screen.columns, 2)
    this.#calls.ioctl(this.#fd, setWindowSize, size)
  }
}
