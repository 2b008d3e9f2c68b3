import { isTwofoldError } from '../core/errors.ts'
import { toHex } from '../core/ids.ts'
import type { Snapshot } from '../core/model.ts'
import { decodeManifest } from '../format/manifest.ts'
import { recordId } from '../format/record.ts'
import type { BackupDeps, BackupRequest, BackupSummary } from './backup-request.ts'
import { createBackupStats } from './backup-stats.ts'
import { selectionOf } from './backup-targets.ts'
import { BackupWalk } from './backup-walk.ts'
import { ChunkLoader } from './chunk-loader.ts'
import { excludeNothing } from './excludes.ts'
import { ParentTrees } from './parent-trees.ts'
import { persistently } from '../core/persistently.ts'
import { Progress } from './progress.ts'
import type { RunOptions } from './progress.ts'
import { RunScope } from './run-scope.ts'
import { SourceLister } from './source-lister.ts'
import { SourceScan } from './source-scan.ts'
import { TreeAssembler } from './tree-assembler.ts'

/**
 * Says what a backup of these (normalized) paths would read: compares the source with the parent snapshot, opens no
 * session, reads no file and writes nothing. `readBytes` are the bytes that would be read; how much of them would be
 * new to the vault only reading can tell.
 */
export async function runDryBackup(
  deps: BackupDeps,
  request: BackupRequest,
  options: RunOptions,
): Promise<BackupSummary> {
  const scope = new RunScope(options.signal)
  const progress = new Progress(deps.clock, options)
  const stats = createBackupStats()
  try {
    const parent = await findParent(deps, request, scope)
    await compare(deps, { request, parent }, { scope, progress, stats })
    progress.finish()
    const { bytesSent, problems } = progress
    const durationMs = progress.elapsedMs()
    return { snapshot: undefined, stats, parent: parent?.snapshotId, durationMs, bytesSent, problems, packs: [] }
  } catch (error) {
    throw scope.failure(error)
  } finally {
    scope.close()
  }
}

async function compare(
  deps: BackupDeps,
  { request, parent }: { request: BackupRequest; parent: Snapshot | undefined },
  run: { scope: RunScope; progress: Progress; stats: ReturnType<typeof createBackupStats> },
): Promise<void> {
  const { source, excludes = excludeNothing, oneFileSystem = false, vault = 'default' } = request
  const { scope, progress, stats } = run
  const selection = selectionOf(request.paths.map((path) => Buffer.from(path)))
  const lister = new SourceLister(source, excludes)
  const scan = new SourceScan({ source, lister, selection, oneFileSystem })
  const trees = new ParentTrees({
    loader: new ChunkLoader(deps),
    vault,
    signal: scope.signal,
    lookup: undefined,
    onUnreadable: (message) => progress.note(`a folder of the parent snapshot would be read again: ${message}`),
  })
  const walk = new BackupWalk({
    ...{ scope, source, scan, progress, stats },
    parent: parent === undefined ? undefined : trees,
    assembler: new TreeAssembler({ add: async ({ id, refs, plain }) => id ?? recordId(refs, plain) }),
    save: async (_path, file) => {
      stats.readBytes += file.size
      progress.bytesDone += file.size
      return undefined
    },
    settle: async () => undefined,
  })
  const tree = parent === undefined ? undefined : decodeManifest(parent.manifest).tree
  await walk.run(tree, [])
}

/** As the manager chooses it: the one that was named, or the newest of the same host and the same set of paths. */
async function findParent(deps: BackupDeps, request: BackupRequest, scope: RunScope): Promise<Snapshot | undefined> {
  if (request.force === true) return undefined
  const { manager, clock, random } = deps
  const { signal } = scope
  const keep = { clock, random, signal }
  const vault = request.vault ?? ''
  const named = request.parent
  if (named !== undefined && named !== '') {
    const anything = { vault, host: '', paths: [], tags: [] }
    return persistently(() => manager.getSnapshot(named, anything, { signal }), keep)
  }
  const filter = { vault, host: request.host ?? deps.hostName, paths: request.paths, tags: [] }
  const wanted = pathSet(request.paths)
  let newest: Snapshot | undefined
  let pageToken = ''
  do {
    const page = { pageSize: 0, pageToken }
    const answer = await persistently(() => manager.listSnapshots(filter, page, { signal }), keep).catch(noVault)
    newest = answer.items.findLast(({ manifest }) => pathSet(decodeManifest(manifest).paths) === wanted) ?? newest
    pageToken = answer.nextPageToken
  } while (pageToken !== '')
  return newest
}

/** A vault that does not exist yet has no snapshots. */
function noVault(error: unknown): { items: Snapshot[]; nextPageToken: string } {
  if (isTwofoldError(error, 'not-found')) return { items: [], nextPageToken: '' }
  throw error
}

function pathSet(paths: readonly Uint8Array[]): string {
  return paths.map(toHex).sort().join()
}
