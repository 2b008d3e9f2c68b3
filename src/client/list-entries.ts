import type { SnapshotFilter } from '../core/messages.ts'
import type { CallOptions } from '../core/model.ts'
import { findEntry, openDirectory, readDirectory } from './snapshot-tree.ts'
import type { ReadDeps, SnapshotDirectory } from './snapshot-tree.ts'
import { joinPath } from './source-tree.ts'
import { walkTree } from './tree-walker.ts'
import type { ListedEntry } from './tree-walker.ts'

export interface ListRequest {
  /** `SNAPSHOT[:subfolder]` */
  readonly reference: string
  /** Whether to go into the directories. */
  readonly recursive: boolean
  /** What to list, below the subfolder if there is one: the content of directories, files themselves. */
  readonly paths?: readonly Uint8Array[] | undefined
  readonly filter?: Partial<SnapshotFilter> | undefined
}

/** @throws TwofoldError `not-found`, `ambiguous`, and as `ChunkLoader.load` */
export async function* listEntries(
  deps: ReadDeps,
  request: ListRequest,
  options: CallOptions = {},
): AsyncGenerator<ListedEntry> {
  const { reference, filter, recursive, paths = [] } = request
  const directory = await openDirectory(deps, { reference, filter }, options)
  if (paths.length === 0) yield* listDirectory(deps, { directory, recursive }, options)
  for (const path of paths) {
    const { entry, path: found } = await findEntry(deps.loader, { directory, path }, options)
    if (entry.tree === undefined) {
      yield { ...entry, path: found }
    } else {
      yield* listDirectory(deps, { directory: { ...directory, tree: entry.tree, path: found }, recursive }, options)
    }
  }
}

async function* listDirectory(
  { loader }: ReadDeps,
  { directory, recursive }: { directory: SnapshotDirectory; recursive: boolean },
  options: CallOptions,
): AsyncGenerator<ListedEntry> {
  const { vault, tree, path } = directory
  if (recursive) {
    yield* walkTree({ loader, vault, tree, path }, { signal: options.signal })
    return
  }
  for await (const entry of readDirectory(loader, { vault, tree }, options)) {
    yield { ...entry, path: joinPath(path, entry.name) }
  }
}
