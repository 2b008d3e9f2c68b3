import * as fs from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ExitCode } from '../../src/cli/exit-codes.ts'
import { SeededRandom } from '../support/seeded-random.ts'
import { touchedBy, writeScript } from './fault-script.ts'
import type { Fault, FaultKind } from './fault-script.ts'
import { Ledger } from './ledger.ts'
import { performFault } from './perform-fault.ts'
import type { Actors } from './perform-fault.ts'
import { Stage } from './stage.ts'
import { awaitOrder, checkProcesses, compareAll, proveCopies } from './verdict.ts'
import { Vitals } from './vitals.ts'
import { WorkingClient } from './working-client.ts'

export interface ChaosOptions {
  /** Empty or not there; everything is kept in it, logs included. */
  readonly directory: string
  readonly seed: number
  /** Of the faults; healing and checking come on top. */
  readonly durationMs: number
  readonly nodes?: number
  readonly clients?: number
  readonly say: (line: string) => void
}

export interface ChaosReport {
  readonly seed: number
  readonly faults: ReadonlyMap<FaultKind, number>
  /** Packs that were damaged on a disk, and how. */
  readonly damaged: readonly string[]
  readonly ledger: Ledger
  readonly peaks: readonly string[]
}

/** How a backup ends that is to be run again, because data that it relies on lost copies. */
const lacksCopies = 14 satisfies ExitCode
/** For as long as that may be so: copies are made again within seconds, on a busy machine within some more. */
const repairedWithinMs = 60_000

/** Chaos, then healing, then the truth. */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const { directory, seed, say, nodes = 5, clients: clientCount = 3 } = options
  fs.mkdirSync(directory, { recursive: true })
  const stage = await Stage.start({ directory, nodes, clients: clientCount, seed, say })
  const vitals = new Vitals(stage)
  const ledger = new Ledger()
  try {
    const clients = stage.cast.clients.map(
      (name, at) => new WorkingClient({ name, stage, ledger, directory, seed: seed * 1000 + at }),
    )
    const faults = writeScript({ random: new SeededRandom(seed), durationMs: options.durationMs, cast: stage.cast })
    const evidence = { stage, ledger, vitals, directory }
    const beganAtMs = performance.now()
    await storm(faults, { actors: { stage, clients }, ...options })
    const healedAtMs = performance.now()
    // Longer than the script where processes take longer to start than it thinks: what is hit next waits for them.
    say(`${((healedAtMs - beganAtMs) / 1000).toFixed(1).padStart(7)} s  healed; what was promised is compared`)
    await Promise.all(clients.map((client) => mustWork(client, ledger)))
    await awaitOrder(evidence, healedAtMs)
    await compareAll(evidence)
    await proveCopies(evidence)
    checkProcesses(evidence)
    return { seed, faults: countKinds(faults), damaged: stage.damaged, ledger, peaks: vitals.peaks() }
  } finally {
    vitals.stop()
    await stage.stop()
  }
}

/** The clients work while the script runs. Resolves when all is healed and the clients are done. */
async function storm(
  faults: readonly Fault[],
  { actors, say, durationMs }: ChaosOptions & { actors: Actors },
): Promise<void> {
  const { stage, clients } = actors
  const over = new AbortController()
  const inProgress = new Map<string, Promise<void>>()
  const working = Promise.all(clients.map((client) => client.work(over.signal)))
  const performing = Promise.all(
    faults.map(async (fault) => {
      await sleep(fault.atMs)
      say(describeFault(fault))
      // A process may take longer to start than the script thinks.
      const touched = touchedBy(fault, stage.cast)
      const before = Promise.all(touched.map((name) => inProgress.get(name) ?? Promise.resolve()))
      const performed = before.then(() => performFault(fault, actors))
      for (const name of touched) inProgress.set(name, performed)
      await performed
    }),
  )
  try {
    await Promise.race([Promise.all([performing, sleep(durationMs)]), working])
    await stage.heal()
    over.abort()
    await working
  } finally {
    over.abort()
    for (const client of clients) client.kill()
  }
}

/**
 * A cluster that healed takes backups as if nothing had been, but one that builds on a pack of which a copy has just
 * been found rotten is told to be run again.
 */
async function mustWork(client: WorkingClient, ledger: Ledger): Promise<void> {
  client.spare()
  const giveUpAtMs = performance.now() + repairedWithinMs
  let { tag, code } = await client.backUp()
  while (code === lacksCopies && performance.now() < giveUpAtMs) ({ tag, code } = await client.backUp())
  if (code !== 0) ledger.violate(`${tag}: a backup after everything healed ended with ${code}`)
}

function describeFault({ kind, on, atMs, forMs, direction, amount }: Fault): string {
  const way = direction === undefined ? '' : ` ${direction}`
  const much = amount === 0 ? '' : ` ${amount}`
  const long = forMs === 0 ? '' : ` for ${(forMs / 1000).toFixed(1)} s`
  return `${(atMs / 1000).toFixed(1).padStart(7)} s  ${kind} ${on}${way}${much}${long}`
}

function countKinds(faults: readonly Fault[]): Map<FaultKind, number> {
  const counts = new Map<FaultKind, number>()
  for (const { kind } of faults) counts.set(kind, (counts.get(kind) ?? 0) + 1)
  return counts
}

/** The last lines of a run. */
export function summaryLines({ seed, faults, damaged, ledger, peaks }: ChaosReport): string[] {
  const total = [...faults.values()].reduce((sum, count) => sum + count, 0)
  const kinds = [...faults].map(([kind, count]) => `${kind} ${count}`).sort()
  const endings = [...ledger.endings].map(([ending, count]) => `${ending}: ${count}`).sort()
  return [
    `seed ${seed}: ${total} faults (${kinds.join(', ')})`,
    `commands by exit code: ${endings.join(', ')}`,
    `at most: ${peaks.join('; ')}`,
    `${ledger.acknowledged.length} snapshots acknowledged, ${ledger.snapshotsCompared} restored and compared, ` +
      `${ledger.restoresCompared} more in between, ${ledger.forgotten.size} forgotten, ${damaged.length} packs damaged`,
    ...ledger.failures,
    ...ledger.healing,
    ...ledger.violations.map((what) => `VIOLATION ${what}`),
    ledger.violations.length === 0 ? 'nothing was lost' : `${ledger.violations.length} violations`,
  ]
}

/** What of a run is worth keeping when it found nothing. */
export function removeTrees(directory: string): void {
  for (const name of fs.readdirSync(directory)) {
    if (!name.endsWith('.log')) fs.rmSync(join(directory, name), { recursive: true, force: true })
  }
}
