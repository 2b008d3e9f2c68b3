import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { systemClock } from '../../src/system/clock.ts'
import { launcher } from '../cluster.ts'
import type { Cluster } from '../cluster.ts'
import { drawScreen } from './draw-screen.ts'
import { loadPtyCalls, PseudoTerminal } from './pseudo-terminal.ts'

const columns = 120
const prompt = '$'
const patienceMs = 30_000
const lookAgainMs = 10

/** The machine is called so, and so is who works on it, whatever they are called. */
const disguise = `import os from "node:os"; import { syncBuiltinESMExports } from "node:module"
os.hostname = () => "laptop"; os.userInfo = () => ({ username: "anna" }); syncBuiltinESMExports()`

/** Terminals on which commands of a cluster are given, and pictures of them. */
export class Studio {
  readonly #cluster: Cluster
  /** Where the commands are given; it is in the pictures. */
  readonly #home: string
  readonly #pictures: string
  readonly #programs = mkdtempSync(join(tmpdir(), 'twofold-pictures-'))
  readonly #open: PseudoTerminal[] = []

  constructor(cluster: Cluster, folders: { home: string; pictures: string }) {
    this.#cluster = cluster
    this.#home = folders.home
    this.#pictures = folders.pictures
    symlinkSync(launcher, join(this.#programs, 'twofold'))
  }

  /** A terminal with a program on it. */
  start(rows: number, program: string, ...args: readonly string[]): PseudoTerminal {
    const calls = loadPtyCalls()
    if (calls === undefined) throw new Error('pictures need koffi, an optional package: run `make install`')
    const environment = {
      ...this.#cluster.environment,
      PATH: [this.#programs, process.env['PATH']].join(delimiter),
      NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(disguise)}`,
      PS1: `\x1b[1;32m${prompt}\x1b[0m `,
    }
    // A terminal has no folder of its own: whoever is started on it goes there first.
    const script = 'cd "$0" && exec "$@"'
    const command = { file: '/bin/sh', args: ['-c', script, this.#home, program, ...args], environment }
    const terminal = new PseudoTerminal(calls, command, { columns, rows })
    this.#open.push(terminal)
    return terminal
  }

  /** A terminal with a shell, and these commands typed one after the other. All must fit into its rows. */
  async shell(rows: number, ...commands: readonly string[]): Promise<PseudoTerminal> {
    const terminal = this.start(rows, '/bin/sh', '-i')
    for (const command of commands) {
      await this.type(terminal, command)
      await this.prompted(terminal)
    }
    return terminal
  }

  /** Types a command as soon as the shell asks for one. */
  async type(terminal: PseudoTerminal, command: string): Promise<void> {
    await this.prompted(terminal)
    terminal.type(`${command}\r`)
    await this.see(terminal, command)
  }

  /** Resolves when the shell has nothing to do. */
  async prompted(terminal: PseudoTerminal): Promise<void> {
    await until(terminal, 'the prompt', (text) => text.trimEnd().split('\n').at(-1) === prompt)
  }

  async see(terminal: PseudoTerminal, ...wanted: (string | RegExp)[]): Promise<void> {
    const seen = (text: string): boolean =>
      wanted.every((each) => (typeof each === 'string' ? text.includes(each) : each.test(text)))
    await until(terminal, wanted.join(' and '), seen)
  }

  /** Draws what is on a terminal now. */
  draw(name: string, title: string, { screen }: PseudoTerminal): void {
    const cells = screen.cells()
    // A full screen is shown as it is; of a shell's, what was used.
    const used = screen.alternate ? cells.length : cells.findLastIndex((line) => line.length > 0) + 1
    const picture = { title, columns: screen.columns, cells: cells.slice(0, used) }
    writeFileSync(join(this.#pictures, `${name}.svg`), drawScreen(picture))
  }

  close(): void {
    for (const terminal of this.#open) {
      terminal.child.kill('SIGKILL')
      terminal.close()
    }
    rmSync(this.#programs, { recursive: true })
  }
}

/** @throws when it takes too long, with what is there instead */
async function until({ screen }: PseudoTerminal, what: string, condition: (text: string) => boolean): Promise<void> {
  const deadline = systemClock.monotonicMs() + patienceMs
  while (!condition(screen.text())) {
    if (systemClock.monotonicMs() > deadline) throw new Error(`waited in vain for ${what}; there is:\n${screen.text()}`)
    await systemClock.sleep(lookAgainMs)
  }
}
