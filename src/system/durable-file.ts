import { open, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { classified } from './disk-error.ts'
import { syncDirectory } from './directories.ts'

/**
 * Replaces a small file so that after a crash either the old or the new content is there, never a mixture, and after
 * it resolved the new one. One writer at a time for each path; readable for its owner only.
 *
 * @throws `no-room`, `not-found` (no such directory) or `io`.
 */
export function writeFileDurably(path: string, data: Uint8Array): Promise<void> {
  return classified(`write ${path}`, async () => {
    const temporary = `${path}.tmp`
    const handle = await open(temporary, 'w', 0o600)
    try {
      await handle.writeFile(data)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(temporary, path)
    await syncDirectory(dirname(path))
  })
}
