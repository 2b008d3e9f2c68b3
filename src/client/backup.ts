import { TwofoldError } from '../core/errors.ts'
import type { ChunkId } from '../core/ids.ts'
import { checkpointIntervalMs } from '../core/limits.ts'
import { decodeManifest } from '../format/manifest.ts'
import type { Manifest } from '../format/manifest.ts'
import type { TreeEntry } from '../format/tree.ts'
import type { BackupDeps, BackupRequest, BackupSummary } from './backup-request.ts'
import { inSession } from './backup-session.ts'
import type { RunningSession } from './backup-session.ts'
import { normalizePaths, selectionOf } from './backup-targets.ts'
import type { Selection } from './backup-targets.ts'
import { BackupWalk } from './backup-walk.ts'
import { Checkpointer } from './checkpointer.ts'
import { ChunkLoader } from './chunk-loader.ts'
import { runDryBackup } from './dry-backup.ts'
import { excludeNothing } from './excludes.ts'
import { FileSaver, storeContent } from './file-saver.ts'
import { GracefulStop } from './graceful-stop.ts'
import { KeptTrees } from './kept-trees.ts'
import { ParentTrees } from './parent-trees.ts'
import type { RunOptions } from './progress.ts'
import { isSameSource } from './same-source.ts'
import { toSnapshotInfo } from './snapshot-info.ts'
import { countSource } from './source-counter.ts'
import type { SnapshotDescription } from './snapshot-writer.ts'
import { SourceLister } from './source-lister.ts'
import { SourceScan } from './source-scan.ts'
import { streamEntry, streamSource } from './stream-source.ts'
import { TreeAssembler } from './tree-assembler.ts'

/** What a backup is of: paths without overlap, and the name of the content that comes through a stream. */
interface Subject {
  readonly paths: readonly Buffer[]
  readonly streamName: string | undefined
}

/**
 * Saves the request's paths as one snapshot. Files that cannot be read, vanish or change meanwhile are reported as
 * `problem` events and counted; they do not stop it.
 * @throws `not-found` when none of the paths exists, `not-enough-nodes`, `no-room`, `session-ended`, `missing-chunks`,
 * `unavailable` when the manager stays away, `cancelled`; nothing is committed then.
 */
export async function runBackup(
  deps: BackupDeps,
  request: BackupRequest,
  options: RunOptions = {},
): Promise<BackupSummary> {
  const subject = subjectOf(request)
  if (request.dryRun === true) return runDryBackup(deps, { ...request, paths: subject.paths }, options)
  const timeNs = request.timeNs ?? BigInt(Math.round(deps.clock.nowMs())) * 1_000_000n
  const begin = {
    vault: request.vault ?? '',
    host: request.host ?? deps.hostName,
    user: deps.userName,
    paths: manifestPaths(subject),
    fileName: '',
    parent: request.parent ?? '',
    noParent: request.force ?? false,
  }
  // It begins before there is a session: a listing takes longer than to open one.
  const scanned = scanSource(request, subject)
  const stop = new GracefulStop(deps.clock, options.signal)
  const work = async (running: RunningSession): Promise<BackupSummary> => {
    const { session, writer, progress } = running
    const description = {
      host: begin.host,
      user: begin.user,
      paths: begin.paths,
      tags: [...(request.tags ?? [])],
      timeNs,
      parent: session.parent?.snapshotId ?? '',
      fileName: '',
      excludes: [...(request.excludePatterns ?? [])],
    }
    const what = { request, subject, scanned, stop, description }
    const { tree, unchanged } = await saveSource(deps, what, running)
    const snapshot = unchanged ? undefined : await writer.commit({ ...description, tree })
    if (unchanged) await writer.endUnchanged()
    return {
      snapshot: snapshot === undefined ? undefined : toSnapshotInfo(snapshot),
      unchanged,
      stats: { ...writer.stats },
      parent: session.parent?.snapshotId,
      resumedFromMs: session.checkpoint?.createdAtMs,
      durationMs: progress.elapsedMs(),
      bytesSent: progress.bytesSent,
      problems: progress.problems,
      packs: writer.uploader.written,
    }
  }
  try {
    return await inSession(deps, { begin, options: { ...options, signal: stop.signal } }, work)
  } finally {
    stop.close()
  }
}

function subjectOf(request: BackupRequest): Subject {
  const streamName = request.stdin?.name
  if (request.paths.length === 0 && streamName === undefined) {
    throw new TwofoldError('invalid-argument', 'there is nothing to back up: name at least one path')
  }
  const paths = normalizePaths(request.paths)
  if (streamName !== undefined && paths.some((path) => path.length === 1 || firstPart(path) === streamName)) {
    throw new TwofoldError('invalid-argument', `the name "${streamName}" for the standard input is in one of the paths`)
  }
  return { paths, streamName }
}

function firstPart(path: Buffer): string {
  return path.toString('utf8').split('/')[1] ?? ''
}

function manifestPaths({ paths, streamName }: Subject): Uint8Array[] {
  return streamName === undefined ? [...paths] : [...paths, Buffer.from(`/${streamName}`)]
}

interface What {
  readonly request: BackupRequest
  readonly subject: Subject
  readonly scanned: ScannedSource
  readonly stop: GracefulStop
  /** Of the snapshot, and of checkpoints until then. */
  readonly description: Omit<SnapshotDescription, 'tree'>
}

interface Saved {
  readonly tree: ChunkId
  /** Whether the parent has the same. */
  readonly unchanged: boolean
}

interface ScannedSource {
  readonly selection: Selection
  readonly lister: SourceLister
  readonly scan: SourceScan
}

function scanSource({ source, excludes, oneFileSystem = false }: BackupRequest, { paths }: Subject): ScannedSource {
  const selection = selectionOf(paths)
  const lister = new SourceLister(source, excludes ?? excludeNothing)
  return { selection, lister, scan: new SourceScan({ source, lister, selection, oneFileSystem }) }
}

async function saveSource(deps: BackupDeps, what: What, running: RunningSession): Promise<Saved> {
  const { request, subject } = what
  const { selection, lister, scan } = what.scanned
  const { writer, progress, scope } = running
  const { source, oneFileSystem = false, excludes = excludeNothing } = request
  const { stats, reader, trees } = writer
  const parent = running.session.parent === undefined ? undefined : decodeManifest(running.session.parent.manifest)
  const known = knownTree(running, parent)
  // Without a parent all is read, and that takes longer than to list it.
  if (known === undefined) await source.giveBackThreads?.()
  if (parent !== undefined) {
    progress.totalFiles = filesIn(parent)
    progress.totalBytes = parent.stats.totalBytes
  } else if (progress.watched && request.countAhead !== false) {
    void scope.background(countSource({ source, selection, excludes, oneFileSystem }, progress, scope.signal))
  }
  const streamed = await saveStream(deps, request, running)
  const beforeRead = (): void => what.stop.throwIfAsked()
  const saver = new FileSaver({
    ...{ source, reader, trees, clock: deps.clock, progress, stats, beforeRead },
    readConcurrency: request.readConcurrency,
  })
  const kept = request.skipIfUnchanged === true && parent !== undefined ? new KeptTrees(trees) : undefined
  const assembler = new TreeAssembler(kept ?? trees)
  const walk = new BackupWalk({
    scope,
    source,
    scan,
    parent: known === undefined ? undefined : parentTrees(deps, running),
    assembler,
    save: (path, file) => saver.save(path, file),
    settle: () => saver.settle(),
    ahead: saver,
    progress,
    stats,
    checkpointer: checkpointerFor(deps, what, { ...running, saver, assembler }),
  })
  const tree = await walk.run(known, streamed)
  what.stop.release()
  checkTargets(subject, selection === 'all' ? 1 : lister.targets)
  if (kept === undefined || parent === undefined) return { tree, unchanged: false }
  const { signal } = scope
  const compared = {
    loader: new ChunkLoader(deps),
    vault: running.session.vault,
    kept,
    signal,
    store: () => writer.store(),
  }
  return { tree, unchanged: await isSameSource(compared, { before: parent.tree, after: tree, selection }) }
}

/** What to compare with: how far an interrupted backup came, which has the rest from its own parent; or the parent. */
function knownTree({ session, progress }: RunningSession, parent: Manifest | undefined): ChunkId | undefined {
  if (session.checkpoint === undefined) return parent?.tree
  progress.note('it goes on from where the last backup of these paths was interrupted')
  return decodeManifest(session.checkpoint.manifest).tree
}

/** Undefined when nobody wants checkpoints. Until the source is saved, a stop then waits until one is made. */
function checkpointerFor(
  deps: BackupDeps,
  { request, stop, description }: What,
  running: RunningSession & { readonly saver: FileSaver; readonly assembler: TreeAssembler },
): Checkpointer | undefined {
  const { checkpointIntervalMs: intervalMs = checkpointIntervalMs } = request
  const chosen = request.checkpointIntervalMs !== undefined
  if (intervalMs === 0) return undefined
  const { scope, writer, progress, saver, assembler } = running
  stop.hold()
  return new Checkpointer({
    ...{ clock: deps.clock, logger: deps.logger, scope, stop, intervalMs, chosen },
    store: async () => {
      // Until then the content of small files has no names.
      await saver.settle()
      return assembler.partial()
    },
    save: async (tree) => {
      await writer.checkpoint({ ...description, tree })
      progress.emit({ type: 'checkpoint', filesDone: progress.filesDone, bytesDone: progress.bytesDone })
    },
    onSavedAtStop: () => progress.note('what was finished is kept: the next backup of these paths goes on from there'),
  })
}

function parentTrees(deps: BackupDeps, { writer, session, progress, scope }: RunningSession): ParentTrees {
  return new ParentTrees({
    loader: new ChunkLoader(deps),
    vault: session.vault,
    signal: scope.signal,
    lookup: writer.lookup,
    onUnreadable: (message) => progress.note(`a folder of the parent snapshot is read again: ${message}`),
  })
}

/** The entry of what comes through the stream, which is read first, to its end. */
async function saveStream(deps: BackupDeps, request: BackupRequest, running: RunningSession): Promise<TreeEntry[]> {
  const { stdin } = request
  if (stdin === undefined) return []
  const { writer, progress } = running
  const content = await writer.reader.content(streamSource(stdin.content), { sparse: false })
  writer.stats.filesNew += 1
  writer.stats.totalBytes += content.size
  progress.filesDone += 1
  progress.file(Buffer.from(`/${stdin.name}`), 'new', content.size)
  return [streamEntry(stdin.name, await storeContent(content, writer.trees), deps.clock)]
}

function checkTargets({ paths, streamName }: Subject, found: number): void {
  if (found > 0 || streamName !== undefined) return
  const named = paths.map((path) => path.toString('utf8')).join(', ')
  throw new TwofoldError('not-found', `nothing was saved: none of the paths to back up exists: ${named}`)
}

function filesIn({ stats }: Manifest): number {
  return stats.filesNew + stats.filesChanged + stats.filesUnmodified
}
