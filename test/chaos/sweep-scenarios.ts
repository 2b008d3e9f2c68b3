import * as fs from 'node:fs'
import type { Cluster } from '../../bench/cluster.ts'
import { packFiles } from '../e2e/running-backup.ts'
import { flipByte } from './damage-pack.ts'

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
  /** Whether only the long sweep tries it: its calls are mostly those of another one. */
  readonly long?: boolean
}

export const garbageTag = 'garbage'

/** With two nodes each of them gets a copy of every pack, sometimes as its primary, sometimes as its replica. */
export const sweepScenarios: readonly SweepScenario[] = [
  { name: 'upload', victim: 'n1', nodes: 2 },
  { name: 'commit', victim: 'manager', nodes: 2 },
  { name: 'repair', victim: 'n1', nodes: 2, act: mendRot },
  { name: 'repair-manager', victim: 'manager', nodes: 2, act: mendRot },
  { name: 'prune', victim: 'manager', nodes: 2, makesGarbage: true, act: pruneGarbage },
  { name: 'prune-node', victim: 'n1', nodes: 2, makesGarbage: true, act: pruneGarbage },
  { name: 'drain', victim: 'n1', nodes: 3, act: emptyAndRefill, long: true },
  { name: 'drain-manager', victim: 'manager', nodes: 3, act: emptyAndRefill, long: true },
]

/** A node is emptied by copies to the others, and taken into use again. */
async function emptyAndRefill(cluster: Cluster): Promise<void> {
  await until(cluster, ['node', 'drain', 'n1'])
  await cluster.waitForState('n1', 'drained')
  await until(cluster, ['node', 'resume', 'n1'])
}

/** The newest pack of a node rots. It is found, put aside, replaced by a copy of the other node's, and deleted. */
async function mendRot(cluster: Cluster): Promise<void> {
  const changedMs = (file: string): number => fs.statSync(file).mtimeMs
  const [newest = ''] = packFiles(cluster, 'n1').sort((a, b) => changedMs(b) - changedMs(a))
  flipByte(newest, Math.floor(fs.statSync(newest).size / 2))
  await until(cluster, ['check', '--read-data'])
  await cluster.waitFor('the damaged copy to be deleted', async () => {
    const [status] = await cluster.json<{ copies_damaged: number }>(['status'])
    return status?.copies_damaged === 0
  })
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
