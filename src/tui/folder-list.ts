import type { Key } from './key-parser.ts'
import { clampTo, isKey, isText, moveInList } from './list-cursor.ts'
import { editText } from './text-field.ts'

/** Something in a folder, here or in a snapshot. */
export interface FolderEntry {
  readonly name: Uint8Array
  /** The name, safe for the terminal. */
  readonly shown: string
  readonly type: 'file' | 'directory' | 'symlink' | 'other'
  readonly size: number
  readonly mtimeMs: number
}

/** A list with a cursor and a filter. */
export interface ListState {
  readonly selected: number
  readonly filter: string
  readonly typing: boolean
}

export const emptyList: ListState = { selected: 0, filter: '', typing: false }

/** Those whose text has all words of the filter in it. */
export function filtered<T>(items: readonly T[], filter: string, textOf: (item: T) => string): readonly T[] {
  const words = filter
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '')
  if (words.length === 0) return items
  return items.filter((item) => {
    const text = textOf(item).toLowerCase()
    return words.every((word) => text.includes(word))
  })
}

/** What a key does to the cursor or the filter; undefined when it is about neither. */
export function listKey(
  list: ListState,
  key: Key,
  { count, rows }: { count: number; rows: number },
): ListState | undefined {
  if (list.typing) {
    if (isKey(key, 'enter')) return { ...list, typing: false }
    if (isKey(key, 'escape')) return emptyList
    const filter = editText(list.filter, key)
    if (filter !== undefined) return { selected: 0, filter, typing: true }
    if (key.kind === 'text') return list
  } else {
    if (isText(key, '/')) return { ...list, typing: true }
    if (isKey(key, 'escape') && list.filter !== '') return emptyList
  }
  const moved = moveInList(key, clampTo(list.selected, count), { count, rows })
  return moved === undefined ? undefined : { ...list, selected: moved }
}
