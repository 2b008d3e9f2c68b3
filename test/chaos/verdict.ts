import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { TreeComparison } from '../../bench/compare-trees.ts'
import { packFiles, quarantinedFiles, unfinishedFiles } from '../e2e/running-backup.ts'
import type { Attempt, Ledger } from './ledger.ts'
import type { Stage } from './stage.ts'
import { crashLines } from './vitals.ts'
import type { Vitals } from './vitals.ts'

export interface Evidence {
  readonly stage: Stage
  readonly ledger: Ledger
  readonly vitals: Vitals
  readonly directory: string
}

interface Listed {
  readonly id: string
  readonly tags: readonly string[]
  readonly durability: { readonly copies: number; readonly copies_wanted: number }
}

interface Status {
  readonly packs: number
  readonly packs_degraded: number
  readonly packs_unavailable: number
  readonly copies_damaged: number
  readonly sessions_open: number
}

const copiesWanted = 2
/**
 * A session that nobody ended ends with its lease, 15 s after its last sign of life; then its packs are dropped. A copy
 * that rotted is found by its node within 20 s. A node that could not send the list of its packs, or whose list does
 * not agree with the catalogue, is asked again after a minute (`inventoryAgainMs`). The rest is for a busy machine.
 */
const restWithinMs = 120_000
const lookAgainMs = 500
const restoresAtOnce = 2

/**
 * Waits until the healed cluster has come to rest, then has every copy read, so that all damage is known, and waits
 * until that has been mended, too. What takes too long is a violation.
 * @param healedAtMs when the last fault was over, as `performance.now()` says
 */
export async function awaitOrder(evidence: Evidence, healedAtMs: number): Promise<void> {
  const { ledger } = evidence
  await awaitRest(evidence, { sinceMs: healedAtMs, since: 'after everything healed' })
  const { code, said } = await checkCopies(evidence)
  // There is a good copy of everything, so nothing is hurt: 16 would be a loss.
  if (code !== 0 && code !== 15) ledger.violate(`check after everything healed ended with ${code}: ${said}`)
  ledger.healing.push(`first check (${code}): ${said}`)
  await awaitRest(evidence, { sinceMs: performance.now(), since: 'after this check' })
}

/** The end of it: every byte of every copy is read once more, and none is bad or missing. */
export async function proveCopies(evidence: Evidence): Promise<void> {
  const { code, said } = await checkCopies(evidence)
  evidence.ledger.healing.push(`last check (${code}): ${said}`)
  if (code !== 0) evidence.ledger.violate(`the last check ended with ${code}: ${said}`)
}

async function checkCopies({ stage, ledger }: Evidence): Promise<{ code: number; said: string }> {
  const { code, stdout, stderr } = await stage.cluster.run(['check', '--read-data'])
  ledger.countEnding('check', code)
  return { code, said: [...lines(stdout), ...lines(stderr)].join('; ') }
}

const lines = (text: string): string[] => text.split('\n').filter((line) => line.trim() !== '')
const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`

/** Waits until nothing is left that a cluster at rest does not have; what is left after too long is a violation. */
async function awaitRest(
  { stage, ledger, vitals }: Evidence,
  { sinceMs, since }: { readonly sinceMs: number; readonly since: string },
): Promise<void> {
  const waitedFor: string[] = []
  let left = await unrest(stage, vitals)
  while (left.length > 0 && performance.now() < sinceMs + restWithinMs) {
    waitedFor.splice(0, Infinity, ...left)
    await new Promise((resolve) => setTimeout(resolve, lookAgainMs))
    left = await unrest(stage, vitals)
  }
  for (const what of left) ledger.violate(`${seconds(restWithinMs)} ${since}: ${what}`)
  const last = waitedFor.length === 0 ? '' : `; until then ${waitedFor.join(', ')}`
  if (left.length === 0) ledger.healing.push(`in order ${seconds(performance.now() - sinceMs)} ${since}${last}`)
}

/** Everything that a cluster at rest does not have. */
async function unrest(stage: Stage, vitals: Vitals): Promise<string[]> {
  const { cluster, cast } = stage
  // What one prune condemned may be deleted only by a later one.
  await cluster.run(['prune'])
  const [status] = await cluster.json<Status>(['status'])
  if (status === undefined) return ['there is no status']
  const { packs, packs_degraded, packs_unavailable, copies_damaged, sessions_open } = status
  const unfinished = cast.nodes.flatMap((name) => unfinishedFiles(cluster, name).map((file) => `${name}/${file}`))
  const aside = cast.nodes.flatMap((name) => quarantinedFiles(cluster, name).map((file) => `${name}/${file}`))
  const files = cast.nodes.reduce((sum, name) => sum + packFiles(cluster, name).length, 0)
  return [
    ...unfinished.map((file) => `${file} is left in incoming/`),
    ...aside.map((file) => `${file} is left in quarantine/`),
    ...(copies_damaged > 0 ? [`${copies_damaged} damaged copies are counted`] : []),
    ...(sessions_open > 0 ? [`${sessions_open} sessions are open`] : []),
    ...(packs_degraded + packs_unavailable > 0 ? [`${packs_degraded + packs_unavailable} packs lack copies`] : []),
    ...(files === packs * copiesWanted ? [] : [`${packs} committed packs are ${files} files on the nodes`]),
    ...vitals.atRest(),
  ]
}

/**
 * Every snapshot that was acknowledged is there, every one that is there is whole, acknowledged or not, and there is
 * one of each backup at most.
 */
export async function compareAll(evidence: Evidence): Promise<void> {
  const { stage, ledger } = evidence
  const [listed = []] = await stage.cluster.json<Listed[]>(['snapshots'])
  const ids = new Set(listed.map(({ id }) => id))
  for (const { tag, snapshotId = '' } of ledger.acknowledged) {
    if (!ids.has(snapshotId) && !ledger.forgetting.has(snapshotId))
      ledger.violate(`${tag}: the acknowledged snapshot ${snapshotId} is gone`)
  }
  for (const id of ledger.forgotten) if (ids.has(id)) ledger.violate(`the forgotten snapshot ${id} is back`)
  const byTag = new Map(ledger.attempts.map((attempt) => [attempt.tag, attempt]))
  const seen = new Set<string>()
  const queue = [...listed]
  const worker = async (number: number): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const [tag = ''] = next.tags
      const attempt = byTag.get(tag)
      if (attempt === undefined || seen.has(tag)) ledger.violate(`${next.id} is a second or unknown snapshot (${tag})`)
      else await compareOne(next, attempt, { ...evidence, directory: join(evidence.directory, `check-${number}`) })
      seen.add(tag)
    }
  }
  await Promise.all(Array.from({ length: restoresAtOnce }, (_, number) => worker(number)))
}

async function compareOne(listed: Listed, attempt: Attempt, { stage, ledger, directory }: Evidence): Promise<void> {
  const { copies, copies_wanted } = listed.durability
  if (copies < copies_wanted) ledger.violate(`${attempt.tag}: only ${copies} of ${copies_wanted} copies`)
  rmSync(directory, { recursive: true, force: true })
  const { code, stderr } = await stage.cluster.run(['restore', listed.id, '--target', directory])
  const restored = join(directory, attempt.source)
  if (code !== 0 || !existsSync(restored)) {
    return ledger.violate(`${attempt.tag}: snapshot ${listed.id} cannot be restored (${code}): ${stderr.trim()}`)
  }
  const { differences } = TreeComparison.compare(attempt.copy, restored)
  for (const one of differences) ledger.violate(`${attempt.tag}: snapshot ${listed.id} differs: ${one}`)
  ledger.snapshotsCompared += 1
  rmSync(directory, { recursive: true, force: true })
}

/** Nobody ended by itself, said anything but log lines, or used too much. */
export function checkProcesses({ stage, ledger, vitals }: Evidence): void {
  for (const what of [...stage.deserters, ...vitals.excesses()]) ledger.violate(what)
  for (const name of stage.servers) {
    for (const line of crashLines(stage.cluster.logFile(name))) ledger.violate(`${name} said: ${line}`)
  }
}
