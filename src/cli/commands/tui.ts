import { writeSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { Readable, Writable } from 'node:stream'
import type { Command } from 'commander'
import { TargetDisk } from '../../client/index.ts'
import { TwofoldError } from '../../core/errors.ts'
import { systemRandom } from '../../system/random.ts'
import type { TuiTerminal } from '../../tui/main.ts'
import { absoluteArgument } from '../argument-bytes.ts'
import type { Cli } from '../cli.ts'
import { addAction, addClusterOptions, addHelp } from '../command-setup.ts'
import type { ClusterOptions, Run } from '../command-setup.ts'
import { openSource } from '../source-threads.ts'
import { withClient } from '../with-client.ts'
import { writeWhole } from './get.ts'

type TerminalOutput = TuiTerminal['output']

interface Options extends ClusterOptions {
  readonly root: string
}

export function defineTui(command: Command, cli: Cli): void {
  addClusterOptions(command).option('--root <folder>', 'where the files to back up are chosen from', '.')
  addHelp(command, {
    examples: ['twofold tui --root /srv', 'twofold', 'twofold --manager backup.lan:7400'],
    notes: [
      'Every screen says its keys: ? explains, Esc goes back, q leaves. The window may be as small as 80 by 24.',
      'NO_COLOR: it does without colours.',
    ],
    exitCodes: [0, 1, 130],
  })
  addAction<Options>(command, cli, open)
}

async function open(run: Run<Options>): Promise<void> {
  const { cli, options } = run
  const terminal = terminalOf(cli)
  if (terminal === undefined || options.json === true) {
    const advice = 'for programs there are the other commands, with --json'
    throw new TwofoldError('invalid-argument', `the full-screen client needs a terminal; ${advice}`)
  }
  const root = absoluteArgument(options.root)
  await requireFolder(root, options.root)
  prepareLibraries()
  const loaded = import('../../tui/main.ts')
  await withClient(run, async (client) => {
    const { runTui, leaveScreen } = await loaded
    const guard = new TerminalGuard(terminal, leaveScreen, cli.signal)
    try {
      const { clock } = cli
      const { manager } = options
      const { timeZone } = Intl.DateTimeFormat().resolvedOptions()
      await runTui({
        ...{ client, clock, random: systemRandom, terminal: guard, manager, root, timeZone },
        signal: guard.signal,
        openSource: () => openSource(cli),
        saveFile: (path, content) => writeWhole(Buffer.from(path), content),
        openTarget: (path) => new TargetDisk(path, { random: systemRandom, clock }),
      })
    } finally {
      guard.close()
    }
  })
  cli.signal.throwIfAborted()
}

/** What Ink and React look at once, when they are loaded. */
function prepareLibraries(): void {
  // Without it everything is checked twice, and slower.
  process.env['NODE_ENV'] ??= 'production'
  // With one of them they take it that nobody looks: no colour, and no frame until the end.
  for (const name of ['CI', 'CONTINUOUS_INTEGRATION']) delete process.env[name]
}

function terminalOf({ terminal, stdin }: Cli): TuiTerminal | undefined {
  const { stdout, colour } = terminal
  return isScreen(stdout) && isKeyboard(stdin) ? { input: stdin, output: stdout, colour } : undefined
}

function isScreen(stream: Writable): stream is NodeJS.WriteStream {
  return 'isTTY' in stream && stream.isTTY === true
}

function isKeyboard(stream: Readable): stream is NodeJS.ReadStream {
  return 'isTTY' in stream && stream.isTTY === true && 'setRawMode' in stream
}

async function requireFolder(path: Uint8Array, shown: string): Promise<void> {
  const found = await stat(Buffer.from(path)).catch(() => undefined)
  if (found?.isDirectory() === true) return
  throw new TwofoldError('invalid-argument', `${shown} is no folder; --root names the one to choose files from`)
}

/** Leaves the terminal as it was however the process ends, and ends what is under way when the terminal is gone. */
class TerminalGuard implements TuiTerminal {
  readonly input: TuiTerminal['input']
  readonly output: TuiTerminal['output']
  readonly colour: boolean
  /** Aborted when the client is to end. */
  readonly signal: AbortSignal
  readonly #leaveScreen: string
  readonly #gone = new AbortController()
  readonly #left = new AbortController()

  constructor({ input, output, colour }: TuiTerminal, leaveScreen: string, stopped: AbortSignal) {
    this.input = input
    this.output = new GuardedOutput(output, AbortSignal.any([this.#gone.signal, this.#left.signal]))
    this.colour = colour
    this.#leaveScreen = leaveScreen
    this.signal = AbortSignal.any([stopped, this.#gone.signal])
    process.on('exit', this.#restore)
    process.on('uncaughtException', this.#crashed)
    process.on('SIGHUP', this.#hangUp)
    input.on('end', this.#hangUp)
    input.on('error', this.#hangUp)
  }

  close(): void {
    // A signal may say that the terminal is gone while it is still there.
    if (this.#gone.signal.aborted) this.#restore()
    process.off('exit', this.#restore)
    process.off('uncaughtException', this.#crashed)
    process.off('SIGHUP', this.#hangUp)
  }

  readonly #hangUp = (): void => {
    this.#gone.abort(new TwofoldError('cancelled', 'the terminal is gone'))
  }

  readonly #restore = (): void => {
    // Once: a second time it would put the cursor back over what was written since, and so would another frame.
    process.off('exit', this.#restore)
    this.#left.abort()
    try {
      this.input.setRawMode(false)
      writeSync(process.stdout.fd, this.#leaveScreen)
    } catch {
      // There is no terminal any more that could be restored.
    }
  }

  readonly #crashed = (error: unknown): void => {
    this.#restore()
    process.stderr.write(`twofold: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
    process.exit(1)
  }
}

/**
 * A terminal's output until the terminal is gone, or as it was: a write to one that is gone would end the process
 * before its work is.
 */
class GuardedOutput implements TerminalOutput {
  readonly #output: TerminalOutput
  readonly #ended: AbortSignal

  constructor(output: TerminalOutput, ended: AbortSignal) {
    this.#output = output
    this.#ended = ended
  }

  get columns(): number | undefined {
    return this.#output.columns
  }

  get rows(): number | undefined {
    return this.#output.rows
  }

  write(text: string): boolean {
    return this.#ended.aborted || this.#output.write(text)
  }

  /**
   * By the signal itself: the stream tells only of a size that is another than the last one it saw, but a window that
   * was small for a moment, and is as before, has lost what it showed.
   */
  on(_event: 'resize', listener: () => void): unknown {
    return process.on('SIGWINCH', listener)
  }

  off(_event: 'resize', listener: () => void): unknown {
    return process.off('SIGWINCH', listener)
  }

  once(event: 'drain', listener: () => void): unknown {
    return this.#output.once(event, listener)
  }
}
