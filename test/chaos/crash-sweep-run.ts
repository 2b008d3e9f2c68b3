import * as fs from 'node:fs'
import { join } from 'node:path'
import { Cluster, parseLines } from '../../bench/cluster.ts'
import type { CommandResult } from '../../bench/cluster.ts'
import { TreeComparison } from '../../bench/compare-trees.ts'
import { packFiles, quarantinedFiles, unfinishedFiles } from '../e2e/running-backup.ts'
import { SeededRandom } from '../support/seeded-random.ts'
import { oneThread, threads, WatchedThread } from './crash-points.ts'
import type { CrashPoint } from './crash-points.ts'
import { garbageTag } from './sweep-scenarios.ts'
import type { SweepScenario } from './sweep-scenarios.ts'

export interface SweepOptions {
  readonly scenario: SweepScenario
  /** Empty or not there; everything is kept in it, logs included. */
  readonly directory: string
  /** Which of the points that the first run counted are tried; all unless given. */
  readonly choose?: (points: readonly CrashPoint[]) => readonly CrashPoint[]
  readonly say: (line: string) => void
}

export interface SweepReport {
  readonly scenario: string
  /** File-changing calls of the victim in one run without a crash. */
  readonly counted: number
  readonly tried: number
  /** Of those, how often the victim was killed; the rest came to another number of calls this time. */
  readonly killed: number
  /** Backups that had to be started again. */
  readonly retried: number
  readonly compared: number
  readonly violations: readonly string[]
}

interface Saved {
  readonly id: string
  readonly source: string
}

/** As for the storm: how a backup may end when somebody died. */
const allowedCodes = [0, 10, 11, 13, 14, 15]
const treeBytes = 700_000
const copies = 2

/** Does the same thing again and again, and kills the same process at another of its system calls each time. */
export class CrashSweep {
  readonly #options: SweepOptions
  readonly #cluster: Cluster
  readonly #saved: Saved[] = []
  readonly #violations: string[] = []
  #number = 0
  #killed = 0
  #retried = 0
  #compared = 0

  private constructor(options: SweepOptions, cluster: Cluster) {
    this.#options = options
    this.#cluster = cluster
  }

  static async run(options: SweepOptions): Promise<SweepReport> {
    const { directory, scenario } = options
    fs.mkdirSync(directory, { recursive: true })
    const cluster = await Cluster.start({
      directory,
      nodes: scenario.nodes,
      managerOptions: ['--suspect-after', '1500ms', '--dead-after', '60s'],
      serverEnvironment: oneThread,
    })
    try {
      return await new CrashSweep(options, cluster).#sweep()
    } finally {
      await cluster.stop()
    }
  }

  async #sweep(): Promise<SweepReport> {
    const { scenario, choose = (all) => all, say } = this.#options
    await this.#begin()
    await this.#act('before all')
    const points = await this.#count()
    const chosen = choose(points)
    say(`${scenario.name}: ${points.length} file-changing calls of ${scenario.victim}, ${chosen.length} are tried`)
    for (const point of chosen) await this.#crashAt(point)
    for (const saved of this.#saved) await this.#compare(saved, 'at the end')
    return {
      scenario: scenario.name,
      counted: points.length,
      tried: chosen.length,
      killed: this.#killed,
      retried: this.#retried,
      compared: this.#compared,
      violations: this.#violations,
    }
  }

  /** The calls that change the victim's files, watched once. */
  async #count(): Promise<CrashPoint[]> {
    await this.#begin()
    const watched = await Promise.all(threads.map((thread) => this.#watch(`count-${thread}`, thread)))
    await this.#act('counted')
    await Promise.all(watched.map((thread) => thread.detach()))
    const below = fs.realpathSync(this.#cluster.dataDirectory(this.#options.scenario.victim))
    return watched.flatMap((thread) => thread.changesBelow(below))
  }

  async #crashAt(point: CrashPoint): Promise<void> {
    const { victim } = this.#options.scenario
    const title = `${point.call} ${point.number} of the ${point.thread} thread`
    await this.#begin()
    const watched = await this.#watch(`crash-${this.#number}`, point.thread, point)
    let looking = true
    const crashed = this.#cluster.untilEnded(victim).then(async () => {
      if (!looking) return
      await this.#cluster.kill(victim)
      await this.#cluster.startProcess(victim)
    })
    let retry = false
    const attempt = this.#act(title).catch((error: unknown) => {
      retry = true
      return error
    })
    const first = await Promise.race([crashed.then(() => 'crashed'), attempt.then(() => 'over')])
    if (first === 'crashed') await attempt
    await watched.detach()
    // It may have died at the very end of the attempt, or after it.
    const killedAt = watched.killedAt()
    if (killedAt !== undefined) await crashed
    looking = false
    this.#killed += killedAt === undefined ? 0 : 1
    this.#options.say(`  ${title}: ${killedAt?.replaceAll(this.#options.directory, '') ?? 'not reached'}`)
    await this.#cluster.waitForNodes()
    if (retry) {
      this.#retried += 1
      await this.#act(`${title}, again`).catch((error: unknown) => this.#violate(String(error)))
    }
    await this.#checkAfter(title)
  }

  #violate(what: string): void {
    this.#violations.push(what)
    this.#options.say(`VIOLATION ${what}`)
  }

  #watch(name: string, thread: CrashPoint['thread'], killAt?: CrashPoint): Promise<WatchedThread> {
    const pid = this.#cluster.pid(this.#options.scenario.victim)
    const logFile = join(this.#options.directory, `${name}.strace`)
    return WatchedThread.attach({ pid, thread, logFile, ...(killAt === undefined ? {} : { killAt }) })
  }

  /** Everything that comes before what is watched. */
  async #begin(): Promise<void> {
    const { act } = this.#options.scenario
    if (act !== undefined) await this.#save('beforehand')
  }

  /** What is watched. @throws when it failed, in a way that is allowed or not */
  async #act(title: string): Promise<void> {
    const { act } = this.#options.scenario
    if (act === undefined) return this.#save(title)
    await act(this.#cluster)
  }

  /** Backs up a tree that is like no other. @throws when it failed, which is a violation only in an unknown way. */
  async #save(title: string): Promise<void> {
    const { scenario, directory } = this.#options
    const source = join(directory, `source-${this.#number}`)
    makeTree(source, this.#number++)
    if (scenario.makesGarbage === true) await this.#saveGarbage(source)
    const result = await this.#cluster.run(['backup', source, '--json'])
    if (!allowedCodes.includes(result.code)) this.#violate(`${title}: ${ending(result)}`)
    const id = result.code === 0 ? snapshotIn(result.stdout) : undefined
    if (id === undefined) throw new Error(`${title}: ${ending(result)}`)
    this.#saved.push({ id, source })
  }

  /** The packs of the garbage also have chunks that `source` needs, so that they are repacked. */
  async #saveGarbage(source: string): Promise<void> {
    const garbage = join(this.#options.directory, 'garbage')
    makeTree(garbage, 10_000 + this.#number)
    fs.copyFileSync(join(source, 'large'), join(garbage, 'shared'))
    const result = await this.#cluster.run(['backup', garbage, '--tag', garbageTag])
    if (result.code !== 0) throw new Error(`the garbage: ${ending(result)}`)
  }

  /** What was acknowledged ever is listed, the newest can be restored, and nothing is left over. */
  async #checkAfter(title: string): Promise<void> {
    const [listed = []] = await this.#cluster.json<{ id: string }[]>(['snapshots'])
    const ids = new Set(listed.map(({ id }) => id))
    for (const { id } of this.#saved) {
      if (!ids.has(id)) this.#violate(`${title}: snapshot ${id}, acknowledged before, is gone`)
    }
    const newest = this.#saved.at(-1)
    if (newest !== undefined) await this.#compare(newest, title)
    const left = await this.#awaitOrder()
    for (const what of left) this.#violate(`${title}: ${what}`)
  }

  /** @returns what is still not as it should be after a while */
  async #awaitOrder(): Promise<string[]> {
    let left: string[] = []
    const inOrder = async (): Promise<boolean> => (left = await this.#disorder()).length === 0
    await this.#cluster.waitFor('order', inOrder).catch((error: unknown) => left.push(String(error)))
    return left
  }

  /** Every committed pack is a file on two nodes, and there are no other files, not even put aside. */
  async #disorder(): Promise<string[]> {
    const cluster = this.#cluster
    // What one prune condemned may be deleted only by a later one.
    if (this.#options.scenario.makesGarbage === true) await cluster.run(['prune'])
    const names = cluster.nodeNames
    const [status] = await cluster.json<{ packs: number }>(['status'])
    const files = names.reduce((sum, name) => sum + packFiles(cluster, name).length, 0)
    const unfinished = names.flatMap((name) => unfinishedFiles(cluster, name).map((file) => `${name}/${file}`))
    const aside = names.flatMap((name) => quarantinedFiles(cluster, name).map((file) => `${name}/${file}`))
    const packs = status?.packs ?? 0
    return [
      ...aside.map((file) => `${file} is left in quarantine/`),
      ...unfinished.map((file) => `${file} is left in incoming/`),
      ...(files === packs * copies ? [] : [`${packs} committed packs are ${files} files on the nodes`]),
    ]
  }

  async #compare({ id, source }: Saved, title: string): Promise<void> {
    const target = join(this.#options.directory, 'restored')
    const result = await this.#cluster.run(['restore', id, '--target', target])
    if (result.code === 0) {
      const { differences } = TreeComparison.compare(source, join(target, source))
      for (const one of differences) this.#violate(`${title}: ${one}`)
      this.#compared += 1
    } else {
      this.#violate(`${title}: the restore of ${id}: ${ending(result)}`)
    }
    fs.rmSync(target, { recursive: true, force: true })
  }
}

/** A few of them, as far apart as possible. */
export function spread<T>(points: readonly T[], most: number): T[] {
  if (points.length <= most) return [...points]
  return Array.from({ length: most }, (_, at) => points[Math.floor((at * points.length) / most)] as T)
}

function makeTree(directory: string, seed: number): void {
  const random = new SeededRandom(seed + 1)
  fs.mkdirSync(join(directory, 'folder'), { recursive: true })
  fs.writeFileSync(join(directory, 'large'), random.bytes(treeBytes))
  for (let number = 0; number < 5; number++)
    fs.writeFileSync(join(directory, 'folder', `${number}`), random.bytes(1000))
}

function snapshotIn(stdout: string): string | undefined {
  const lines = parseLines<{ message_type: string; snapshot_id?: string }>(stdout)
  return lines.find(({ message_type }) => message_type === 'summary')?.snapshot_id
}

function ending({ code, stderr }: CommandResult): string {
  return `ended with ${code}: ${stderr.trim().split('\n').at(-1) ?? ''}`
}
