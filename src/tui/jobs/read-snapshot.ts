import type { Client } from '../../client/index.ts'
import { tuiChangesMax, tuiFolderEntriesMax, tuiPreviewBytesMax } from '../../core/client-limits.ts'
import { isUtf8, safeText } from '../../core/safe-text.ts'
import { shownBytes } from '../byte-path.ts'
import type { FolderEntry } from '../folder-list.ts'
import type { News, Preview, ShownChange } from '../work.ts'

interface Reading {
  readonly client: Pick<Client, 'list' | 'dump' | 'diff'>
  readonly signal: AbortSignal
}

/** What is in a folder of a snapshot: folders first, then by name. */
export async function listEntries({ client, signal }: Reading, snapshot: string, path: Uint8Array): Promise<News> {
  const request = { recursive: false, ...(path.length === 1 ? {} : { paths: [path] }) }
  const folders: FolderEntry[] = []
  const others: FolderEntry[] = []
  let count = 0
  for await (const { name, type, size, mtimeNs } of client.list(snapshot, request, { signal })) {
    count += 1
    if (count > tuiFolderEntriesMax) continue
    const entry = { name, shown: shownBytes(name), type, size, mtimeMs: Number(mtimeNs / 1_000_000n) }
    if (type === 'directory') folders.push(entry)
    else others.push(entry)
  }
  return { kind: 'entries', path, entries: [...folders, ...others], count }
}

/** The beginning of a file, if it is text. */
export async function previewFile({ client, signal }: Reading, snapshot: string, path: Uint8Array): Promise<News> {
  const { content } = await client.dump(snapshot, path, {}, { signal })
  const pieces: Uint8Array[] = []
  let length = 0
  for await (const piece of content) {
    pieces.push(Buffer.from(piece))
    length += piece.length
    if (length >= tuiPreviewBytesMax) break
  }
  return { kind: 'previewed', path, preview: toPreview(Buffer.concat(pieces)) }
}

/** Bytes with NUL, or that are no UTF-8, are no text. */
export function toPreview(bytes: Uint8Array): Preview {
  const cut = bytes.length >= tuiPreviewBytesMax
  const shown = cut ? wholeCharacters(bytes.subarray(0, tuiPreviewBytesMax)) : bytes
  if (shown.includes(0) || !isUtf8(shown)) return { kind: 'binary' }
  const lines = Buffer.from(shown).toString('utf8').split(/\r?\n/)
  if (lines.at(-1) === '') lines.pop()
  return { kind: 'text', lines: lines.map((text) => safeText(text.replaceAll('\t', '    '))), cut }
}

/** Without the beginning of a character at the end. */
function wholeCharacters(bytes: Uint8Array): Uint8Array {
  for (let end = bytes.length; end > bytes.length - 4; end--) {
    if (isUtf8(bytes.subarray(0, end))) return bytes.subarray(0, end)
  }
  return bytes
}

export async function compareSnapshots({ client, signal }: Reading, before: string, after: string): Promise<News> {
  const changes: ShownChange[] = []
  for await (const { change, path } of client.diff(before, after, { signal })) {
    if (changes.length === tuiChangesMax) return { kind: 'compared', changes, more: true }
    changes.push({ change, path: shownBytes(path) })
  }
  return { kind: 'compared', changes, more: false }
}
