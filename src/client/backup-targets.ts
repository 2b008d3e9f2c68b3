import { TwofoldError } from '../core/errors.ts'
import { asBuffer } from '../core/ids.ts'

/** What of a directory is backed up: all of it, or only some names (latin1) and of those again all or some. */
export type Selection = 'all' | Map<string, Selection>

/**
 * Absolute paths without `.`, `..`, repeated and trailing slashes; those that lie below another one are left out.
 * @throws TwofoldError `invalid-argument` for a path that is not absolute or has a NUL in it.
 */
export function normalizePaths(paths: readonly Uint8Array[]): Buffer[] {
  const normal = new Map<string, Buffer>()
  for (const path of paths) {
    const bytes = normalizePath(path)
    normal.set(bytes.toString('latin1'), bytes)
  }
  return [...normal].filter(([path]) => !hasAncestor(path, normal)).map(([, bytes]) => bytes)
}

function normalizePath(path: Uint8Array): Buffer {
  const text = asBuffer(path).toString('latin1')
  if (!text.startsWith('/') || text.includes('\0')) {
    const shown = asBuffer(path).toString('utf8')
    throw new TwofoldError('invalid-argument', `a path to back up must be absolute, without NUL, not "${shown}"`)
  }
  const parts: string[] = []
  for (const part of text.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return Buffer.from(`/${parts.join('/')}`, 'latin1')
}

function hasAncestor(path: string, all: ReadonlyMap<string, unknown>): boolean {
  if (path !== '/' && all.has('/')) return true
  for (let cut = path.lastIndexOf('/'); cut > 0; cut = path.lastIndexOf('/', cut - 1)) {
    if (all.has(path.slice(0, cut))) return true
  }
  return false
}

/** The selection, from the root down, that has exactly these normalized paths. */
export function selectionOf(paths: readonly Buffer[]): Selection {
  const root = new Map<string, Selection>()
  for (const path of paths) {
    const parts = path.toString('latin1').split('/').slice(1)
    const last = parts.pop()
    if (last === undefined || last === '') return 'all'
    let selection = root
    for (const part of parts) {
      const known = selection.get(part)
      const next = known instanceof Map ? known : new Map<string, Selection>()
      selection.set(part, next)
      selection = next
    }
    selection.set(last, 'all')
  }
  return root
}
