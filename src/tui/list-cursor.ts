import type { Key } from './key-parser.ts'

/** Where the keys that move in a list lead to, from `at` in a list of `count`; undefined for any other key. */
export function moveInList(key: Key, at: number, { count, rows }: { count: number; rows: number }): number | undefined {
  const to = target(key, at, { count, rows })
  return to === undefined ? undefined : clampTo(to, count)
}

/** A place in a list that may have become shorter. */
export function clampTo(at: number, count: number): number {
  return Math.max(0, Math.min(count - 1, at))
}

function target(key: Key, at: number, { count, rows }: { count: number; rows: number }): number | undefined {
  if (key.kind === 'text') return key.text === 'k' ? at - 1 : key.text === 'j' ? at + 1 : undefined
  if (key.kind !== 'key') return undefined
  const page = Math.max(1, rows - 1)
  switch (key.name) {
    case 'up':
      return at - 1
    case 'down':
      return at + 1
    case 'page-up':
      return at - page
    case 'page-down':
      return at + page
    case 'home':
      return 0
    case 'end':
      return count - 1
    default:
      return undefined
  }
}

export function isText(key: Key, text: string): boolean {
  return key.kind === 'text' && key.text === text
}

export function isKey(key: Key, ...names: string[]): boolean {
  return key.kind === 'key' && names.includes(key.name)
}
