/**
 * `make demo-schedules`: two agents, ten writers, backups that run by themselves, an archive that GNU tar unpacks; all
 * with real processes. SECONDS says for how long the writers write.
 */
import { execFileSync, spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Cluster, launcher } from './cluster.ts'
import { TreeComparison } from './compare-trees.ts'
import { RunningProcess } from './running-process.ts'

const agents = ['web1', 'web2']
const writersPerAgent = 5
const every = '10s'

interface Listed {
  readonly schedule_id: string
  readonly agent: string
  readonly path: string
  readonly newest_serial: number
  readonly last_run: { readonly state: string } | null
}

const say = (line: string): void => void process.stdout.write(`${line}\n`)

/** Everything that the demo leaves behind unless it is tidied up. */
class ScheduleDemo {
  readonly #directory = realpathSync(mkdtempSync(join(tmpdir(), 'twofold-schedules-')))
  readonly #writers: ChildProcess[] = []
  readonly #agents: RunningProcess[] = []
  #cluster: Cluster | undefined

  /** Resolves with whether all was as it should be. */
  async run(seconds: number): Promise<boolean> {
    say('1. Start a manager and two storage nodes')
    const cluster = (this.#cluster = await Cluster.start({ nodes: 2, directory: join(this.#directory, 'cluster') }))
    say(`2. Start agents ${agents.join(' and ')}, each with a folder "busy" and a folder "quiet"`)
    for (const name of agents) await this.#startAgent(cluster, name)
    say(`3. Have all four folders backed up every ${every}`)
    for (const name of agents) {
      for (const folder of ['busy', 'quiet']) await this.#add(cluster, name, join(this.#directory, name, folder))
    }
    say(
      `4. ${agents.length * writersPerAgent} writers append a line a second to their files in "busy", for ${seconds} s`,
    )
    this.#startWriters()
    await sleep(seconds * 1000)
    for (const writer of this.#writers.splice(0)) writer.kill()
    say('5. What was saved: serial numbers grow where content changed, and nowhere else')
    await this.#settle(cluster)
    await cluster.runVisibly(['schedule', 'list'])
    await cluster.runVisibly(['schedule', 'runs', '--limit', '12'])
    const counted = await this.#judge(cluster)
    say('6. Fetch the newest backup as a .tgz, and unpack it with GNU tar')
    const equal = await this.#fetch(cluster)
    return counted && equal
  }

  async tidyUp(): Promise<void> {
    for (const writer of this.#writers) writer.kill()
    await Promise.all(this.#agents.map((agent) => agent.end('SIGTERM')))
    await this.#cluster?.stop()
    rmSync(this.#directory, { recursive: true, force: true })
  }

  async #startAgent(cluster: Cluster, name: string): Promise<void> {
    const folder = join(this.#directory, name)
    for (const part of ['busy', 'quiet']) mkdirSync(join(folder, part), { recursive: true })
    writeFileSync(join(folder, 'quiet', 'notes.txt'), `what ${name} never changes\n`)
    const { process: agent } = await RunningProcess.start({
      command: launcher,
      arguments: ['agent', '--name', name, '--allow', folder, '--json'],
      environment: cluster.environment,
      logFile: join(this.#directory, `${name}.log`),
    })
    this.#agents.push(agent)
  }

  async #add(cluster: Cluster, agent: string, path: string): Promise<void> {
    const code = await cluster.runVisibly(['schedule', 'add', '--agent', agent, '--path', path, '--every', every])
    if (code !== 0) throw new Error(`the schedule for ${path} was refused`)
  }

  #startWriters(): void {
    const creator = join(dirname(launcher), 'content-creator')
    for (const name of agents) {
      for (let number = 1; number <= writersPerAgent; number++) {
        const file = join(this.#directory, name, 'busy', `writer-${number}.log`)
        this.#writers.push(spawn(creator, [file], { stdio: 'ignore' }))
      }
    }
  }

  /** Lets every schedule run once more, so that the last lines are saved. */
  async #settle(cluster: Cluster): Promise<void> {
    const [schedules = []] = await cluster.json<Listed[]>(['schedule', 'list'])
    for (const { schedule_id } of schedules) {
      // One that was going on may have begun before the last line was written.
      for (const _ of [1, 2]) await cluster.json(['schedule', 'run', schedule_id, '--wait'])
    }
  }

  async #judge(cluster: Cluster): Promise<boolean> {
    const [schedules = []] = await cluster.json<Listed[]>(['schedule', 'list'])
    const wrong = schedules.filter(({ path, newest_serial: serial, last_run: last }) => {
      const good = path.endsWith('busy') ? serial > 1 : serial === 1
      return !good || last?.state !== 'unchanged'
    })
    for (const { agent, path, newest_serial: serial } of wrong) say(`WRONG: ${agent}:${path} has serial ${serial}`)
    if (wrong.length === 0) say('good: busy folders have several versions, quiet ones have one')
    return schedules.length === 4 && wrong.length === 0
  }

  async #fetch(cluster: Cluster): Promise<boolean> {
    const source = join(this.#directory, 'web1', 'busy')
    const archive = join(this.#directory, 'busy.tgz')
    const target = join(this.#directory, 'unpacked')
    const code = await cluster.runVisibly(['fetch', '--agent', 'web1', '--path', source, '-o', archive])
    if (code !== 0) return false
    mkdirSync(target)
    execFileSync('tar', ['-xzf', archive, '-C', target])
    const owners = process.getuid?.() === 0
    const { files, differences } = TreeComparison.compare(source, join(target, 'busy'), { owners })
    for (const difference of differences) say(`  ${difference}`)
    say(differences.length === 0 ? `equal: ${files} files` : 'DIFFERENT: see above')
    return differences.length === 0
  }
}

const demo = new ScheduleDemo()
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    void demo.tidyUp().finally(() => process.exit(130))
  })
}
try {
  process.exitCode = (await demo.run(Number(process.env['SECONDS'] ?? 60))) ? 0 : 1
} catch (error) {
  say(error instanceof Error ? error.message : String(error))
  process.exitCode = 1
} finally {
  await demo.tidyUp()
}
