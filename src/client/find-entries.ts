import type { SnapshotFilter } from '../core/messages.ts'
import type { CallOptions } from '../core/model.ts'
import { PathPatterns } from './path-pattern.ts'
import { completeFilter, resolveSnapshot, toSnapshotInfo } from './snapshot-info.ts'
import type { SnapshotInfo } from './snapshot-info.ts'
import { rootOf } from './snapshot-tree.ts'
import type { ReadDeps } from './snapshot-tree.ts'
import { allPages } from './paged.ts'
import { walkTree } from './tree-walker.ts'
import type { ListedEntry } from './tree-walker.ts'

export interface FindRequest {
  /** Of names; with a slash in it, of paths. */
  readonly patterns: readonly string[]
  readonly ignoreCase?: boolean | undefined
  /** Only these; all that the filter allows unless given. */
  readonly snapshots?: readonly string[] | undefined
  readonly filter?: Partial<SnapshotFilter> | undefined
}

export interface FoundEntry {
  readonly snapshot: SnapshotInfo
  readonly entry: ListedEntry
}

/** Looks for files by name, in the oldest snapshot first. @throws TwofoldError `invalid-argument` for a bad pattern */
export async function* findEntries(
  deps: ReadDeps,
  request: FindRequest,
  options: CallOptions = {},
): AsyncGenerator<FoundEntry> {
  const patterns = new PathPatterns(request.patterns, { ignoreCase: request.ignoreCase })
  for await (const snapshot of chosenSnapshots(deps, request, options)) {
    const { vault, tree, path } = rootOf(snapshot)
    const walk = walkTree(
      { loader: deps.loader, vault, tree, path },
      { signal: options.signal, descend: (directory) => patterns.mayMatchBelow(directory) },
    )
    for await (const entry of walk) if (patterns.matchesExactly(entry.path)) yield { snapshot, entry }
  }
}

async function* chosenSnapshots(
  { manager }: ReadDeps,
  { snapshots, filter }: FindRequest,
  options: CallOptions,
): AsyncGenerator<SnapshotInfo> {
  for (const reference of snapshots ?? []) yield await resolveSnapshot(manager, { reference, filter }, options)
  if (snapshots !== undefined && snapshots.length > 0) return
  for await (const snapshot of allPages((page) => manager.listSnapshots(completeFilter(filter), page, options))) {
    yield toSnapshotInfo(snapshot)
  }
}
