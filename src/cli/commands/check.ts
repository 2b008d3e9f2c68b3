import type { Command } from 'commander'
import type { CheckEvent, CheckSummary, ReadSubset } from '../../client/index.ts'
import type { Clock } from '../../core/clock.ts'
import type { Cli } from '../cli.ts'
import { addAction, addClusterOptions, addHelp } from '../command-setup.ts'
import type { ClusterOptions, Run } from '../command-setup.ts'
import type { ExitCode } from '../exit-codes.ts'
import { formatBytes, formatDuration, plural } from '../../core/human-format.ts'
import type { Output } from '../output.ts'
import { parseSubset } from '../quantities.ts'
import { safeText } from '../../core/safe-text.ts'
import { withClient } from '../with-client.ts'

interface Options extends ClusterOptions {
  readonly readData?: boolean
  readonly readDataSubset?: ReadSubset
}

export function defineCheck(command: Command, cli: Cli): void {
  addClusterOptions(command)
    .option('--read-data', 'have every byte of every copy read and checked where it is')
    .option('--read-data-subset <n/t|x%>', 'the same for the n-th of t equal parts, or for x % by chance', parseSubset)
  addHelp(command, {
    examples: ['twofold check', 'twofold check --read-data', 'twofold check --read-data-subset 3/30'],
    notes: [
      'Without options it checks the catalogue, that everything any snapshot needs is there, and that every pack has',
      'its copies. With --read-data each node reads its copies and checks every hash; one record of each comes here',
      'to be checked against its name. A bad copy is put aside by its node and replaced from a good one. For what has',
      'no good copy left, all files of all snapshots that are hurt by it are named.',
      'Parts of --read-data-subset are the same every time: n from 1 to t on as many days reads everything.',
    ],
    exitCodes: [0, 1, 10, 12, 15, 16, 130],
  })
  addAction<Options>(command, cli, (run) =>
    withClient(run, async (client) => {
      const { options } = run
      const readData = options.readDataSubset ?? (options.readData === true ? { kind: 'all' as const } : undefined)
      const tell = new Teller(run)
      const summary = await client.check({ readData }, { signal: cli.signal, onEvent: tell.show })
      run.output.clearStatus()
      await run.output.record(summaryRecord(summary))
      await run.output.lines(summaryLines(summary))
      cli.setExitCode(checkExitCode(summary))
    }),
  )
}

/** 16 when something cannot be restored, 15 when all can but something has too few good copies. */
export function checkExitCode(summary: CheckSummary): ExitCode {
  const { catalogueProblems, packsLost, pathsHurt, packsDegraded, copiesBad, copiesUnreachable } = summary
  if (catalogueProblems + packsLost + pathsHurt > 0) return 16
  return packsDegraded + copiesBad + copiesUnreachable > 0 ? 15 : 0
}

class Teller {
  readonly #output: Output
  readonly #clock: Clock
  #shownMs = -Infinity
  #packsShort = 0

  constructor({ output, cli }: Run<Options>) {
    this.#output = output
    this.#clock = cli.clock
  }

  readonly show = (event: CheckEvent): void => {
    switch (event.type) {
      case 'progress':
        return this.#showProgress(event)
      case 'catalogue': {
        const { problem, snapshotId } = event
        const where = snapshotId === '' ? '' : `snapshot ${snapshotId.slice(0, 8)}: `
        const record = { message_type: 'problem', kind: 'catalogue', problem, snapshot_id: snapshotId }
        return this.#output.problem(`catalogue: ${where}${safeText(problem)}`, record)
      }
      case 'copy': {
        const { packId, node, verdict, problem } = event
        const record = { message_type: 'problem', kind: 'copy', pack_id: packId, node: node.name, verdict, problem }
        const what = verdict === 'bad' ? 'is bad' : 'could not be checked'
        const text = `pack ${packId.slice(0, 8)}: the copy on ${safeText(node.name)} ${what}: ${safeText(problem)}`
        return this.#output.problem(text, record)
      }
      case 'pack':
        return this.#showPack(event)
      case 'hurt': {
        const { snapshotId, path, kind } = event
        const record = { message_type: 'hurt', snapshot_id: snapshotId, path, kind }
        const what = kind === 'file' ? '' : ', and what is below it,'
        const text = `snapshot ${snapshotId.slice(0, 8)}: ${safeText(path)}${what} cannot be restored`
        return this.#output.problem(text, record)
      }
    }
  }

  #showProgress(event: Extract<CheckEvent, { type: 'progress' }>): void {
    const nowMs = this.#clock.monotonicMs()
    if (nowMs - this.#shownMs < statusIntervalMs) return
    this.#shownMs = nowMs
    const { phase, done, total } = event
    if (this.#output.json) void this.#output.record({ message_type: 'status', phase, done, total })
    else this.#output.status(progressText(event))
  }

  /** With a node gone these are as many as it has packs: for people the sum says it, unless nothing is left of one. */
  #showPack({ packId, copies, copiesWanted }: Extract<CheckEvent, { type: 'pack' }>): void {
    const record = { message_type: 'problem', kind: 'pack', pack_id: packId, copies, copies_wanted: copiesWanted }
    this.#packsShort += 1
    if (this.#output.json) return void this.#output.record(record)
    const text = `pack ${packId}: ${copies} of ${copiesWanted} copies are good and on a node that is not dead`
    if (copies === 0 || this.#packsShort <= packsNamedMax) this.#output.problem(text, record)
  }
}

const packsNamedMax = 10
const statusIntervalMs = 200

const phaseNames = { log: 'log', snapshots: 'snapshots', done: 'catalogue', packs: 'packs', hurt: 'hurt files' }

function progressText({ phase, done, total }: Extract<CheckEvent, { type: 'progress' }>): string {
  return `checking: ${phaseNames[phase]} ${done}${total > 0 ? ` of ${total}` : ''}`
}

function summaryRecord(summary: CheckSummary): object {
  return {
    message_type: 'summary',
    well: checkExitCode(summary) === 0,
    catalogue_problems: summary.catalogueProblems,
    packs: summary.packs,
    packs_degraded: summary.packsDegraded,
    packs_lost: summary.packsLost,
    copies_read: summary.copiesRead,
    bytes_read: summary.bytesRead,
    copies_bad: summary.copiesBad,
    copies_unreachable: summary.copiesUnreachable,
    snapshots_hurt: summary.snapshotsHurt,
    paths_hurt: summary.pathsHurt,
    seconds_elapsed: summary.durationMs / 1000,
  }
}

function summaryLines(summary: CheckSummary): string[] {
  const { packs, packsDegraded, packsLost, copiesRead, bytesRead, copiesBad, copiesUnreachable } = summary
  const read = `read ${plural(copiesRead, 'copy', 'copies')} (${formatBytes(bytesRead)}) in `
  return [
    `checked the catalogue and ${plural(packs, 'pack')}, ${read}${formatDuration(summary.durationMs)}`,
    ...(checkExitCode(summary) === 0 ? ['no problems were found'] : []),
    ...line(summary.catalogueProblems, 'problem', 'problems', 'in the catalogue'),
    ...line(copiesBad, 'bad copy', 'bad copies', 'put aside by the nodes, to be replaced'),
    ...line(copiesUnreachable, 'copy', 'copies', 'could not be checked'),
    ...line(packsDegraded, 'pack', 'packs', 'with fewer good copies than wanted'),
    ...line(packsLost, 'pack', 'packs', 'without any good copy'),
    ...line(
      summary.pathsHurt,
      'path',
      'paths',
      `cannot be restored, in ${plural(summary.snapshotsHurt.length, 'snapshot')}`,
    ),
  ]
}

function line(count: number, one: string, many: string, what: string): string[] {
  return count === 0 ? [] : [`${plural(count, one, many)} ${what}`]
}
