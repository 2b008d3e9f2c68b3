import type { Command } from 'commander'
import type { Client, PruneEvent, PruneRequest, PruneSummary } from '../../client/index.ts'
import { TwofoldError } from '../../core/errors.ts'
import type { Cli } from '../cli.ts'
import { addAction, addClusterOptions, addHelp } from '../command-setup.ts'
import type { ClusterOptions, Run } from '../command-setup.ts'
import { formatBytes, plural } from '../../core/human-format.ts'
import { safeText } from '../../core/safe-text.ts'
import { withClient } from '../with-client.ts'

interface Options extends ClusterOptions {
  readonly dryRun?: boolean
  readonly repack: boolean
  readonly maxUnused?: number
}

export function definePrune(command: Command, cli: Cli): void {
  addClusterOptions(command)
    .option('-n, --dry-run', 'only say what would go')
    .option('--no-repack', 'leave packs alone that are needed in part')
    .option('--max-unused <percent>', 'how much of the kept bytes may stay unused; 5% unless given', parsePercent)
  addHelp(command, {
    examples: ['twofold prune --dry-run', 'twofold prune', 'twofold prune --max-unused 0%'],
    notes: [
      'Backups may go on meanwhile. It may be interrupted at any point; the next one finds what is left to do.',
      'Versions of single files, also of deleted ones, are kept until there is a policy for them.',
    ],
    exitCodes: [0, 1, 10, 12, 13, 14, 130],
  })
  addAction<Options>(command, cli, (run) =>
    withClient(run, (client) => {
      const { vault, dryRun, repack, maxUnused } = run.options
      return pruneAndReport(client, run, { vault, dryRun, noRepack: !repack, unusedPermilleMax: maxUnused })
    }),
  )
}

/** Thousandths of `5%` or `2.5`. */
function parsePercent(text: string): number {
  const percent = Number(/^(\d+(?:\.\d+)?)%?$/.exec(text.trim())?.[1] ?? Number.NaN)
  if (percent >= 0 && percent <= 100) return Math.round(percent * 10)
  throw new TwofoldError('invalid-argument', `"${text}" is no share: give per cent, for example 5%`)
}

/** Prunes, shows how far it is, and says in the end what came of it. */
export async function pruneAndReport(client: Client, run: Run<ClusterOptions>, request: PruneRequest): Promise<void> {
  const { output, cli } = run
  const onEvent = (event: PruneEvent): void => {
    if (event.type !== 'problem') return output.status(statusText(event))
    const record = { message_type: 'error', pack: event.packId, message: event.message }
    output.problem(`pack ${event.packId} stays as it is: ${safeText(event.message)}`, record)
  }
  const summary = await client.prune(request, { signal: cli.signal, onEvent })
  output.clearStatus()
  await output.record(summaryRecord(summary))
  await output.outcome(summaryLines(summary), { dryRun: request.dryRun === true })
}

const phaseTexts = {
  waiting: 'waiting',
  trash: 'emptying the trash',
  marking: 'looking at the snapshots',
  condemning: 'looking at the packs',
  deleting: 'deleting',
  walking: 'looking at the files of all snapshots',
  weighing: 'weighing the packs',
  done: 'done',
  failed: 'failed',
} as const

function statusText(event: Exclude<PruneEvent, { type: 'problem' }>): string {
  const { state } = event
  if (event.type === 'moved') {
    const { bytes } = event.moved
    return `moving: ${formatBytes(bytes)} of ${formatBytes(state.bytesToMove)}`
  }
  const problem = state.problem === '' ? '' : `: ${safeText(state.problem)}`
  return `${phaseTexts[state.phase]}${problem}, ${plural(state.packsDeleted, 'pack')} deleted so far`
}

function summaryRecord({ found, moved, last }: PruneSummary): object {
  return {
    message_type: 'summary',
    dry_run: found.dryRun,
    snapshots_removed: found.snapshotsRemoved,
    packs_unneeded: found.packsCondemned,
    bytes_unneeded: found.bytesCondemned,
    packs_deleted: found.packsDeleted + (last === found ? 0 : last.packsDeleted),
    bytes_deleted: found.bytesDeleted + (last === found ? 0 : last.bytesDeleted),
    packs_waiting: last.packsWaiting,
    bytes_waiting: last.bytesWaiting,
    packs_repackable: found.packsRepackable,
    bytes_to_move: found.bytesToMove,
    bytes_to_free: found.bytesToFree,
    bytes_unused: found.bytesUnused,
    packs_moved: moved?.packs ?? 0,
    bytes_moved: moved?.bytes ?? 0,
    packs_left: moved?.packsLeft ?? 0,
  }
}

function summaryLines({ found, moved, last }: PruneSummary): string[] {
  const size = (packs: number, bytes: number): string => `${plural(packs, 'pack')}, ${formatBytes(bytes)}`
  const trash = `Trash:     ${plural(found.snapshotsRemoved, 'snapshot')}`
  const unneeded = `Unneeded:  ${size(found.packsCondemned, found.bytesCondemned)}`
  const half = `${size(found.packsRepackable, found.bytesToFree)}`
  if (found.dryRun) {
    const lines = [`${trash} would be removed for good`, `${unneeded} would be deleted`]
    return [...lines, `To move:   ${half} would be given back by moving ${formatBytes(found.bytesToMove)}`]
  }
  const deletedPacks = found.packsDeleted + (last === found ? 0 : last.packsDeleted)
  const deletedBytes = found.bytesDeleted + (last === found ? 0 : last.bytesDeleted)
  return [
    `${trash} removed for good`,
    unneeded,
    ...(moved === undefined ? [] : [`Moved:     ${size(moved.packs, moved.bytes)} of them still needed`]),
    ...(moved === undefined || moved.packsLeft === 0 ? [] : [`Left:      ${plural(moved.packsLeft, 'pack')} in use`]),
    `Deleted:   ${size(deletedPacks, deletedBytes)} on each node that had them`,
    ...(last.packsWaiting === 0
      ? []
      : [`Waiting:   ${size(last.packsWaiting, last.bytesWaiting)} until running backups are over`]),
  ]
}
