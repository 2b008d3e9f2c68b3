import type { ChunkId } from '../core/ids.ts'
import type { Extent, TreeEntry } from '../format/tree.ts'
import type { SourceStat, SourceTree } from './source-tree.ts'

/** Where the content of a file is. */
export interface StoredContent {
  readonly size: number
  readonly extents: readonly Extent[]
  readonly extentLists: readonly ChunkId[]
}

export const noContent: StoredContent = { size: 0, extents: [], extentLists: [] }
const noBytes = new Uint8Array(0)

/** Whether `makeEntry` would give this entry again, content, target and tree left aside. */
export function isEntryOf(source: SourceTree, stat: SourceStat, known: TreeEntry): boolean {
  const isFile = known.type === 'file'
  return (
    known.mode === stat.mode &&
    known.uid === stat.uid &&
    known.gid === stat.gid &&
    known.mtimeNs === stat.mtimeNs &&
    known.ctimeNs === stat.ctimeNs &&
    known.inode === stat.inode &&
    known.links === (isFile ? stat.links : 0) &&
    known.device === (isFile && stat.links > 1 ? stat.device : 0n) &&
    known.user === source.userName(stat.uid) &&
    known.group === source.groupName(stat.gid) &&
    known.xattrs.length === 0
  )
}

/**
 * The entry of what the source says it is. The device number is kept for hard links only: it changes with a restart of
 * the machine, and every tree would with it.
 */
export function makeEntry(
  source: SourceTree,
  name: Uint8Array,
  what: { stat: SourceStat; type: TreeEntry['type']; content?: StoredContent; target?: Uint8Array },
): TreeEntry {
  const { stat, type, content = noContent, target = noBytes } = what
  const linked = type === 'file' && stat.links > 1
  return {
    name,
    type,
    mode: stat.mode,
    uid: stat.uid,
    gid: stat.gid,
    user: source.userName(stat.uid),
    group: source.groupName(stat.gid),
    mtimeNs: stat.mtimeNs,
    ctimeNs: stat.ctimeNs,
    inode: stat.inode,
    device: linked ? stat.device : 0n,
    links: type === 'file' ? stat.links : 0,
    ...content,
    target,
    tree: undefined,
    xattrs: [],
  }
}
