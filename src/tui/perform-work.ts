import { createExcludes } from '../client/index.ts'
import type { Client, Finding, ProgressEvent, RestoreTarget, SourceTree } from '../client/index.ts'
import { tuiHistoryMax } from '../core/client-limits.ts'
import type { Clock } from '../core/clock.ts'
import type { Operation } from '../core/model.ts'
import type { Random } from '../core/random.ts'
import type { PerformWork } from './job-runner.ts'
import type { News, NodeWork, RestorePlan, Work, WorkKind } from './work.ts'
import { followCluster } from './jobs/follow-cluster.ts'
import { findPath, listFolder } from './jobs/list-folder.ts'
import { compareSnapshots, listEntries, previewFile } from './jobs/read-snapshot.ts'
import { changeSchedule, listSchedules } from './jobs/schedules.ts'
import { workOnFiles } from './jobs/stored-files.ts'

/** What work is done with. */
export interface WorkDeps {
  readonly client: Client
  readonly clock: Clock
  readonly random: Random
  /** The file systems of this machine, for one backup, or for all that is looked at. */
  readonly openSource: () => SourceTree
  /** A folder of this machine to restore to: absolute, as bytes. */
  readonly openTarget: (path: Uint8Array) => RestoreTarget
  /** Writes a file of this machine as a whole, or not at all. */
  readonly saveFile: (path: Uint8Array, content: AsyncIterable<Uint8Array>) => Promise<void>
}

interface Doing extends WorkDeps {
  /** What people look at. */
  readonly source: SourceTree
  readonly signal: AbortSignal
  readonly tell: (news: News) => void
}

type Performers = {
  readonly [Kind in WorkKind]: (doing: Doing, work: Extract<Work, { kind: Kind }>) => Promise<News | undefined | void>
}

/** Does what screens want. What a performer returns is told. */
export function createPerformer(deps: WorkDeps): PerformWork {
  const source = deps.openSource()
  return async ({ work }, { signal, tell }) => {
    const perform = performers[work.kind] as (doing: Doing, work: Work) => Promise<News | undefined | void>
    const news = await perform({ ...deps, source, signal, tell }, work)
    if (news !== undefined) tell(news)
  }
}

const onFiles = ({ client, source, saveFile, signal }: Doing, work: Parameters<typeof workOnFiles>[1]): Promise<News> =>
  workOnFiles({ client, source, saveFile, signal }, work)

const performers: Performers = {
  'follow-cluster': (doing) => followCluster(doing, doing),
  node: changeNode,
  'list-folder': ({ source }, { path }) => listFolder(source, path),
  'find-path': ({ source }, { path }) => findPath(source, path),
  backup: backup,
  'list-entries': (doing, { snapshot, path }) => listEntries(doing, snapshot, path),
  preview: (doing, { snapshot, path }) => previewFile(doing, snapshot, path),
  diff: (doing, { before, after }) => compareSnapshots(doing, before, after),
  'check-restore': checkRestore,
  restore: restore,
  'list-files': onFiles,
  'list-versions': onFiles,
  'change-file': onFiles,
  'list-history': listHistory,
  'list-schedules': (doing, { runsOf }) => listSchedules(doing, runsOf),
  'change-schedule': (doing, { act }) => changeSchedule(doing, act),
  doctor: examine,
}

async function changeNode({ client, signal }: Doing, work: NodeWork): Promise<News> {
  const options = { signal, dryRun: work.dryRun }
  const asked = work.act === 'drain' ? client.drainNode(work.node, options) : client.resumeNode(work.node, options)
  return { kind: 'node-outlook', work, outlook: await asked }
}

async function backup(
  { client, openSource, signal, tell }: Doing,
  { paths }: { paths: readonly Uint8Array[] },
): Promise<News> {
  const onEvent = (event: ProgressEvent): void => tell({ kind: 'progress', of: 'backup', event })
  const excludes = createExcludes({ patterns: [], ignoreFiles: true })
  const request = { source: openSource(), paths, excludes }
  const summary = await client.backup(request, { signal, onEvent, fileEvents: false })
  return { kind: 'backed-up', summary }
}

async function checkRestore({ client, openTarget, signal }: Doing, { plan }: { plan: RestorePlan }): Promise<News> {
  const { reference, includes, target } = plan
  const request = { reference, includes, target: openTarget(target), overwrite: 'never', dryRun: true } as const
  return { kind: 'restore-checked', plan, summary: await client.restore(request, { signal }) }
}

async function restore(
  { client, openTarget, signal, tell }: Doing,
  { plan, overwrite }: Extract<Work, { kind: 'restore' }>,
): Promise<News> {
  const onEvent = (event: ProgressEvent): void => tell({ kind: 'progress', of: 'restore', event })
  const { reference, includes, target } = plan
  const request = { reference, includes, target: openTarget(target), overwrite }
  return { kind: 'restored', summary: await client.restore(request, { signal, onEvent, fileEvents: false }) }
}

async function listHistory({ client, signal }: Doing): Promise<News> {
  const operations: Operation[] = []
  for await (const operation of client.history({ limit: tuiHistoryMax }, { signal })) operations.push(operation)
  return { kind: 'history', operations }
}

async function examine({ client, signal, tell }: Doing): Promise<void> {
  const onFinding = (finding: Finding): void => tell({ kind: 'finding', finding })
  const onStage = (what: string): void => tell({ kind: 'stage', what })
  await client.doctor({}, { signal, onFinding, onStage })
}
