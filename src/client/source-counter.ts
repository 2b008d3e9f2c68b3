import { isTwofoldError } from '../core/errors.ts'
import type { Selection } from './backup-targets.ts'
import type { Excludes } from './excludes.ts'
import { nameKey } from './parent-trees.ts'
import type { Progress } from './progress.ts'
import { SourceLister } from './source-lister.ts'
import { joinPath } from './source-tree.ts'
import type { SourceEntry, SourceTree } from './source-tree.ts'

export interface CountRequest {
  readonly source: SourceTree
  readonly selection: Selection
  readonly excludes: Excludes
  readonly oneFileSystem: boolean
}

interface Visit {
  readonly path: Uint8Array
  readonly selection: Selection
  readonly device: bigint | undefined
}

/** Counts what there is to save, ahead of saving it, so that progress can say how much is left. It reports nothing. */
export async function countSource(request: CountRequest, progress: Progress, signal: AbortSignal): Promise<void> {
  const { source, excludes, oneFileSystem } = request
  const lister = new SourceLister(source, excludes)
  progress.totals = 'growing'
  const waiting: Visit[] = [{ path: Buffer.from('/'), selection: request.selection, device: undefined }]
  for (let visit = waiting.pop(); visit !== undefined; visit = waiting.pop()) {
    const { path, selection, device } = visit
    for (const entry of await list(lister, visit)) {
      if (signal.aborted) return
      if (device !== undefined && entry.device !== device) continue
      if (entry.type === 'file') {
        progress.totalFiles += 1
        progress.totalBytes += entry.size
      } else if (entry.type === 'directory') {
        const below = selection === 'all' ? 'all' : (selection.get(nameKey(entry.name)) ?? 'all')
        const stay = oneFileSystem && below === 'all' ? entry.device : undefined
        waiting.push({ path: joinPath(path, entry.name), selection: below, device: stay })
      }
    }
  }
  progress.totals = 'exact'
}

async function list(lister: SourceLister, { path, selection }: Visit): Promise<readonly SourceEntry[]> {
  try {
    return (await lister.list(path, selection)).listing.entries
  } catch (error) {
    // The backup itself reports it.
    if (isTwofoldError(error, 'not-found', 'io')) return []
    throw error
  }
}
