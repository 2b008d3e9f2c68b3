/**
 * `make demo`: a cluster, a backup, a change, a killed node, a restore and a comparison, all with real processes.
 *
 * Usage: node bench/demo.ts [FOLDER]
 */
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Cluster } from './cluster.ts'
import { TreeComparison } from './compare-trees.ts'

const project = dirname(dirname(fileURLToPath(import.meta.url)))
const colour = process.stdout.isTTY && (process.env['NO_COLOR'] ?? '') === ''
const paint = (code: number, text: string): string => (colour ? `\x1b[${code}m${text}\x1b[0m` : text)

/** What `backup` exits with when it saved everything but some files that it may not read. */
const someFilesUnreadable = 3

interface Step {
  readonly title: string
  readonly seconds: number
}

/** Everything that the demo leaves behind unless it is tidied up. */
class Demo {
  readonly #source: string
  readonly #directory = realpathSync(mkdtempSync(join(tmpdir(), 'twofold-demo-')))
  readonly #scratch: string
  readonly #target: string
  readonly #steps: Step[] = []
  #cluster: Cluster | undefined

  constructor(source: string) {
    this.#source = source
    this.#scratch = join(this.#directory, 'notes')
    this.#target = join(this.#directory, 'restored')
  }

  /** Resolves with whether the restored files are the same as the ones that were backed up. */
  async run(): Promise<boolean> {
    writeNotes(this.#scratch)
    const cluster = await this.#step('Start a manager and three storage nodes', () => this.#startCluster())
    say(`manager at ${cluster.managerAddress}, nodes ${cluster.nodeNames.join(', ')}, data in ${this.#directory}`)

    await this.#step(`Back up ${this.#source}`, () => this.#backup(cluster))
    await this.#show(cluster, ['stats', 'latest', '--packs'])

    changeNotes(this.#scratch)
    say(`changed, renamed, deleted and added a few notes in ${this.#scratch}`)
    await this.#step('Back up again: how little moves', () => this.#backup(cluster))
    await this.#show(cluster, ['snapshots'])

    await this.#step('Kill node n2 with SIGKILL', () => cluster.kill('n2'))
    await cluster.waitForState('n2', 'suspect', 'dead')
    await this.#show(cluster, ['nodes'])

    await this.#step('Restore from the nodes that are left', () =>
      this.#command(cluster, ['restore', 'latest', '--target', this.#target]),
    )
    const equal = await this.#step('Compare with the source, byte for byte', () => this.#compare())
    this.#printSteps()
    return equal
  }

  /** Stops all that was started and removes all that was written. */
  async tidyUp(): Promise<void> {
    await this.#cluster?.stop()
    this.#cluster = undefined
    rmSync(this.#directory, { recursive: true, force: true })
  }

  async #startCluster(): Promise<Cluster> {
    const managerOptions = ['--suspect-after', '2s']
    this.#cluster = await Cluster.start({
      directory: join(this.#directory, 'cluster'),
      managerOptions,
      capacity: '1TB',
    })
    return this.#cluster
  }

  #backup(cluster: Cluster): Promise<void> {
    // The demo's own cluster must not be in its backup.
    const own = this.#directory.startsWith(join(this.#source, '/'))
    const excludes = own ? ['--exclude', join(this.#directory, 'cluster'), '--exclude', this.#target] : []
    return this.#command(cluster, ['backup', this.#source, this.#scratch, ...excludes])
  }

  #compare(): Promise<boolean> {
    let equal = true
    // Only root can give files away.
    const owners = process.getuid?.() === 0
    for (const source of [this.#source, this.#scratch]) {
      const comparison = TreeComparison.compare(source, join(this.#target, source), { owners })
      const { files, directories, symlinks, bytes, unreadable, differences } = comparison
      const size = `${(bytes / 1024 ** 2).toFixed(1)} MiB`
      say(`${source}: ${files} files, ${directories} folders, ${symlinks} symlinks, ${size}`)
      if (unreadable > 0) say(`  ${unreadable} files and folders may not be read by this user, and were not compared`)
      for (const difference of differences) say(paint(31, `  ${difference}`))
      equal &&= differences.length === 0
    }
    const verdict = `content, modes, ${owners ? 'owners, ' : ''}times, links`
    say(equal ? paint(32, `equal: ${verdict}`) : paint(31, `DIFFERENT: see above (${verdict})`))
    return Promise.resolve(equal)
  }

  async #step<T>(title: string, work: () => Promise<T>): Promise<T> {
    const number = this.#steps.length + 1
    say('')
    say(paint(1, `${number}. ${title}`))
    const start = performance.now()
    const result = await work()
    const seconds = (performance.now() - start) / 1000
    this.#steps.push({ title, seconds })
    say(paint(90, `   took ${seconds.toFixed(1)} s`))
    return result
  }

  async #show(cluster: Cluster, args: readonly string[]): Promise<void> {
    say('')
    await this.#command(cluster, args)
  }

  /** Runs a command line in this terminal, so that its progress bar is seen. */
  async #command(cluster: Cluster, args: readonly string[]): Promise<void> {
    say(paint(90, `$ twofold ${args.join(' ')}`))
    const code = await cluster.runVisibly(args)
    if (code !== 0 && code !== someFilesUnreadable) throw new Error(`twofold ${args[0] ?? ''} exited with ${code}`)
  }

  #printSteps(): void {
    say('')
    say(paint(1, 'What was done'))
    for (const [at, { title, seconds }] of this.#steps.entries()) {
      say(`${String(at + 1).padStart(2)}. ${title.padEnd(66)} ${seconds.toFixed(1).padStart(6)} s`)
    }
    const total = this.#steps.reduce((sum, { seconds }) => sum + seconds, 0)
    say(`    ${'in all'.padEnd(66)} ${total.toFixed(1).padStart(6)} s`)
  }
}

/** A few files of the demo's own, so that nothing of the user's has to change for the second backup. */
function writeNotes(folder: string): void {
  mkdirSync(join(folder, 'ideas'), { recursive: true })
  for (let number = 0; number < 40; number++) {
    writeFileSync(join(folder, 'ideas', `${number}.txt`), `idea ${number}\n`.repeat(1000))
  }
  writeFileSync(join(folder, 'diary.txt'), 'Today I began to make backups.\n')
}

function changeNotes(folder: string): void {
  appendFileSync(join(folder, 'diary.txt'), 'Today I changed something.\n')
  renameSync(join(folder, 'ideas', '1.txt'), join(folder, 'ideas', 'the first.txt'))
  rmSync(join(folder, 'ideas', '2.txt'))
  writeFileSync(join(folder, 'new.txt'), 'This was not here yesterday.\n')
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

function sourceFolder(): string {
  const named = process.argv[2] ?? join(project, 'node_modules')
  if (statSync(named, { throwIfNoEntry: false }) === undefined) {
    say(`there is no ${named}: name a folder that exists with SRC=`)
    process.exit(1)
  }
  return realpathSync(named)
}

const demo = new Demo(sourceFolder())
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    void demo.tidyUp().finally(() => process.exit(130))
  })
}
try {
  process.exitCode = (await demo.run()) ? 0 : 1
} catch (error) {
  say(paint(31, error instanceof Error ? error.message : String(error)))
  process.exitCode = 1
} finally {
  await demo.tidyUp()
}
