/** Somebody who reads a document and types what it says, in a folder and with a cluster of their own. */
import { expect } from 'chai'
import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { cleanEnvironment, launcher } from '../../bench/cluster.ts'
import { freePorts } from '../../bench/free-ports.ts'
import { linesOf, stepsOf } from '../support/documented-commands.ts'
import type { ShellStep } from '../support/documented-commands.ts'
import { outputPattern, withoutSpace } from './shell-document.ts'

const project = dirname(dirname(launcher))
/** A line of a document may say how it ends, if not well. */
const endsWith = /# exit code (\d+)$/
/** Of one line: waiting for a node to be lost, or emptied, is part of some. */
const lineMostMs = 180_000
/** They go on until they are ended. */
const staysOpen = /^(?:bin\/)?twofold agent /

/** As `make`, but for a cluster here and not in the project's directory. */
const make = `#!/bin/sh
for word; do case $word in *=*) export "$word" ;; *) target=$word ;; esac; done
exec "${join(project, 'bin/cluster')}" "$target"
`

/** A hook of a document needs one. */
const pgDump = `#!/bin/sh
[ "$1" = -f ] && echo dump >"$2"
`

export class DocumentShell {
  readonly folder: string
  readonly #port: number
  readonly #environment: NodeJS.ProcessEnv
  readonly #child: ChildProcessWithoutNullStreams
  #said = ''
  #heard: () => void = () => undefined

  private constructor(folder: string, port: number) {
    this.folder = folder
    this.#port = port
    this.#environment = {
      ...cleanEnvironment(),
      PATH: [join(folder, 'bin'), process.env['PATH']].join(delimiter),
      DATA: '.twofold',
      PORT: String(port),
      TWOFOLD_MANAGER: `127.0.0.1:${port}`,
      TWOFOLD_NODE: `127.0.0.1:${port + 1}`,
      // Most of the time of a command is spent on this.
      NODE_COMPILE_CACHE: join(folder, '.compiled'),
    }
    // What a child process gets here are sockets, and a command that ends its output would end that of the shell.
    this.#child = spawn('sh', ['-c', 'sh 2>&1 | cat'], { cwd: folder, env: this.#environment })
    this.#child.stdout.on('data', (piece: Buffer) => {
      this.#said += piece.toString()
      this.#heard()
    })
  }

  /** For a cluster of at most so many nodes. */
  static async open(nodes: number): Promise<DocumentShell> {
    const folder = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), 'twofold-document-')))
    const port = await freePorts(nodes + 1)
    const programs = join(folder, 'bin')
    fs.mkdirSync(programs)
    fs.symlinkSync(launcher, join(programs, 'twofold'))
    for (const [name, text] of Object.entries({ make, pg_dump: pgDump })) {
      fs.writeFileSync(join(programs, name), text, { mode: 0o755 })
    }
    for (const name of ['README.md', 'docs', 'proto']) {
      fs.cpSync(join(project, name), join(folder, name), { recursive: true })
    }
    fs.symlinkSync(join(project, 'node_modules'), join(folder, 'node_modules'))
    for (const name of ['site', 'mail', 'app']) {
      fs.mkdirSync(join(folder, 'srv', name), { recursive: true })
      fs.writeFileSync(join(folder, 'srv', name, 'a file'), `what ${name} has\n`)
    }
    for (const name of ['home', 'var/dumps', 'tmp']) fs.mkdirSync(join(folder, name), { recursive: true })
    return new DocumentShell(folder, port)
  }

  /** Does what a step says, and compares what it prints, if it says that. */
  async follow(document: string, { line, commands, output }: ShellStep): Promise<void> {
    let printed = ''
    for (const command of linesOf(commands)) {
      const { code, output: text } = await this.run(command)
      expect(code, `${document}:${line}: ${command}\n${text}`).to.equal(Number(endsWith.exec(command)?.[1] ?? 0))
      printed += text
    }
    if (output === undefined) return
    const expected = outputPattern(this.#here(output))
    expect(expected.test(withoutSpace(printed)), `${document}:${line} prints:\n${printed}`).to.equal(true)
  }

  /** Every step of a document as a test of its own. */
  static follows(document: string, shell: () => DocumentShell): void {
    for (const step of stepsOf(document)) {
      it(`${document}:${step.line}: ${step.commands.split('\n').at(-1)?.slice(0, 80)}`, () => {
        return shell().follow(document, step)
      })
    }
  }

  /** @throws when it takes too long */
  async run(written: string): Promise<{ code: number; output: string }> {
    const line = this.#here(written)
    this.#said = ''
    const mark = `ended-${randomUUID()}`
    // A remark would be one on the rest, too.
    const command = staysOpen.test(line)
      ? `${line.replace(/ +# .*$/, '')} </dev/null >>agents.log 2>&1 & echo $! >>agents.pids`
      : line
    this.#child.stdin.write(`{ ${command}\n} </dev/null 2>&1; echo ${mark} $?\n`)
    const pattern = new RegExp(`^([^]*)${mark} (\\d+)\\n$`)
    const deadline = performance.now() + lineMostMs
    for (let found = pattern.exec(this.#said); ; found = pattern.exec(this.#said)) {
      if (found !== null) return { code: Number(found[2]), output: found[1] ?? '' }
      const ms = deadline - performance.now()
      if (ms <= 0) throw new Error(`it takes too long: ${line}\n${this.#said}`)
      await this.#untilMore(ms)
    }
  }

  /** Stops all that was started, and removes all that was written. */
  close(): void {
    // Whatever the shell is about: who is left open is ended by another one.
    this.#child.kill('SIGKILL')
    const stop = 'kill $(cat agents.pids); make down'
    spawnSync('sh', ['-c', stop], { cwd: this.folder, env: this.#environment, stdio: 'ignore' })
    fs.rmSync(this.folder, { recursive: true, force: true })
  }

  /** The addresses and the folders of documents are those of a machine of one's own. */
  #here(text: string): string {
    return text
      .replace(/127\.0\.0\.1:740(\d)/g, (_, digit: string) => `127.0.0.1:${this.#port + Number(digit)}`)
      .replaceAll('backup.example:7400', `127.0.0.1:${this.#port}`)
      .replace(/(?<=[\s:"'])\/(srv|home|var|tmp)\b/g, (_, name: string) => `${this.folder}/${name}`)
  }

  #untilMore(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.#heard = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}
