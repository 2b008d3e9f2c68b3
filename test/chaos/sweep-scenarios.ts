import type { Cluster } from '../../bench/cluster.ts'

/** Something that a cluster does, during which one of its processes is killed. */
export interface SweepScenario {
  readonly name: string
  /** Who is killed. */
  readonly victim: string
  readonly nodes: number
  /**
   * What is done while the victim is watched, after a backup; the backup itself unless given. Resolves when it is
   * complete, also after a crash.
   */
  readonly act?: (cluster: Cluster) => Promise<void>
  /** Before each backup there is another, with the tag `garbageTag`, that nobody needs when the next one comes. */
  readonly makesGarbage?: boolean
}

export const garbageTag = 'garbage'

/** With two nodes each of them gets a copy of every pack, sometimes as its primary, sometimes as its replica. */
export const sweepScenarios: readonly SweepScenario[] = [
  { name: 'upload', victim: 'n1', nodes: 2 },
  { name: 'commit', victim: 'manager', nodes: 2 },
  { name: 'repair', victim: 'n1', nodes: 3, act: drainTheThird },
  { name: 'prune', victim: 'manager', nodes: 2, makesGarbage: true, act: pruneGarbage },
  { name: 'prune-node', victim: 'n1', nodes: 2, makesGarbage: true, act: pruneGarbage },
]

/** What waits for commands that are not there yet. Empty it then. */
export const scenariosNotYet: readonly string[] = ['repair']

/** Everything that the third node has is copied to the first or second. */
async function drainTheThird(cluster: Cluster): Promise<void> {
  await until(cluster, ['node', 'drain', 'n3'])
  await until(cluster, ['node', 'resume', 'n3'])
}

/** Only what is tagged as garbage goes, but for the last of it; packs that it shares with others are repacked. */
async function pruneGarbage(cluster: Cluster): Promise<void> {
  await until(cluster, ['forget', '--tag', garbageTag, '--keep-last', '1', '--group-by', 'tags', '--now', '--yes'])
  await until(cluster, ['prune', '--max-unused', '0%'])
}

/** The command is given again and again until it worked: who is killed in the middle of it comes back. */
async function until(cluster: Cluster, args: readonly string[]): Promise<void> {
  await cluster.waitFor(args.join(' '), async () => {
    const { code, stderr } = await cluster.run(args)
    if (code !== 0) throw new Error(stderr.trim())
    return true
  })
}
