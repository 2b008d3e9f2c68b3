import type { SourceTree } from '../../client/index.ts'
import { isTwofoldError } from '../../core/errors.ts'
import { tuiFolderEntriesMax } from '../../core/client-limits.ts'
import { lastName, shownBytes } from '../byte-path.ts'
import type { FolderEntry } from '../folder-list.ts'
import type { News } from '../work.ts'

type SourceStat = Awaited<ReturnType<SourceTree['stat']>>

/** What is in a folder of this machine: folders first, then by name. */
export async function listFolder(source: SourceTree, path: Uint8Array): Promise<News> {
  const { entries } = await source.list(path)
  const count = entries.length
  const listed = [...entries].slice(0, tuiFolderEntriesMax).map((entry) => toEntry(entry.name, entry))
  const folders = listed.filter(({ type }) => type === 'directory')
  return { kind: 'folder', path, entries: [...folders, ...listed.filter(({ type }) => type !== 'directory')], count }
}

export async function findPath(source: SourceTree, path: Uint8Array): Promise<News> {
  try {
    return { kind: 'path-found', path, entry: toEntry(lastName(path), await source.stat(path)) }
  } catch (error) {
    if (isTwofoldError(error, 'not-found')) return { kind: 'path-found', path, entry: undefined }
    throw error
  }
}

const types: Readonly<Record<string, FolderEntry['type']>> = {
  file: 'file',
  directory: 'directory',
  symlink: 'symlink',
}

function toEntry(name: Uint8Array, { type, size, mtimeNs }: SourceStat): FolderEntry {
  // A copy: what was listed may be in memory that is used again.
  const own = Buffer.from(name)
  return {
    name: own,
    shown: shownBytes(own),
    type: types[type] ?? 'other',
    size,
    mtimeMs: Number(mtimeNs / 1_000_000n),
  }
}
