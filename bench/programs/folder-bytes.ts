import { lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

/** The lengths of all files below a folder; 0 when there is none. */
export function folderBytes(folder: string): number {
  if (lstatSync(folder, { throwIfNoEntry: false }) === undefined) return 0
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, { parentPath, name }) => sum + lstatSync(join(parentPath, name)).size, 0)
}
