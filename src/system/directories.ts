import { mkdir, open, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { TwofoldError } from '../core/errors.ts'
import { classified } from './disk-error.ts'

const ownersOnly = 0o700

/**
 * Creates `directory` and the parents that are missing, durably, for their owner only. Node's own recursive `mkdir`
 * never ends where the system says ENOENT for a name below a parent that exists, as it does below `/proc`.
 *
 * @throws `already-exists` when something else has the name, `not-found`, `no-room` or `io` when it cannot be created.
 */
export async function makeDirectory(directory: string): Promise<void> {
  await classified(`create the directory ${directory}`, async () => {
    const missing: string[] = []
    for (let path = directory; !(await created(path)); path = dirname(path)) {
      missing.push(path)
      if (path === dirname(path)) break
    }
    for (const path of missing.reverse()) await makeOne(path)
  })
}

/** False when its parent is missing. */
async function created(path: string): Promise<boolean> {
  try {
    await makeOne(path)
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return false
    if (code !== 'EEXIST') throw error
    if ((await stat(path)).isDirectory()) return true
    throw new TwofoldError('already-exists', `${path} is not a directory`, { cause: error })
  }
}

async function makeOne(path: string): Promise<void> {
  await mkdir(path, { mode: ownersOnly })
  await syncDirectory(dirname(path))
}

/** Makes the names in a directory durable. */
export async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
