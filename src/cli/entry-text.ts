import type { ListedEntry } from '../client/index.ts'
import { formatMode, formatTime } from '../core/human-format.ts'
import { jsonTimeNs } from './json-time.ts'
import { isUtf8, safePath } from '../core/safe-text.ts'

const jsonTypes = { file: 'file', directory: 'dir', symlink: 'symlink' } as const

/** An entry as `ls -l` shows one. */
export function entryLine(entry: ListedEntry): string {
  const owner = `${String(entry.uid).padStart(5)} ${String(entry.gid).padStart(5)}`
  const time = formatTime(Number(entry.mtimeNs / 1_000_000n))
  const target = entry.type === 'symlink' ? ` -> ${safePath(entry.target)}` : ''
  const size = String(entry.size).padStart(12)
  return `${formatMode(entry.type, entry.mode)} ${owner} ${size} ${time} ${safePath(entry.path)}${target}`
}

/** An entry in restic's fields. A path that is not UTF-8 is there as its bytes, too. */
export function entryRecord(entry: ListedEntry): Record<string, unknown> {
  return {
    name: text(entry.name),
    type: jsonTypes[entry.type],
    path: text(entry.path),
    ...(isUtf8(entry.path) ? {} : { path_base64: Buffer.from(entry.path).toString('base64') }),
    uid: entry.uid,
    gid: entry.gid,
    user: entry.user,
    group: entry.group,
    ...(entry.type === 'file' ? { size: entry.size } : {}),
    mode: entry.mode,
    permissions: formatMode(entry.type, entry.mode),
    mtime: jsonTimeNs(entry.mtimeNs),
    ctime: jsonTimeNs(entry.ctimeNs),
    inode: Number(entry.inode),
    device_id: Number(entry.device),
    links: entry.links,
    ...(entry.type === 'symlink' ? { linktarget: text(entry.target) } : {}),
  }
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8')
}
