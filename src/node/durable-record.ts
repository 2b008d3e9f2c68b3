import type { Disk } from '../core/disk.ts'
import { isTwofoldError } from '../core/errors.ts'

/** Replaces a small file in one step: after a crash it has the old content or the new one, never a mixture. */
export async function writeRecord(disk: Disk, name: string, content: Uint8Array): Promise<void> {
  const draft = `${name}.tmp`
  try {
    await disk.remove(draft)
  } catch (error) {
    // The usual case: no crash left a draft behind.
    if (!isTwofoldError(error, 'not-found')) throw error
  }
  const file = await disk.create(draft)
  try {
    await file.write(content, 0)
    await file.sync()
  } finally {
    await file.close()
  }
  await disk.rename(draft, name)
  await disk.syncDirectory('')
}

/** The whole content of a small file. @throws `not-found` */
export async function readRecord(disk: Disk, name: string): Promise<Uint8Array> {
  const file = await disk.open(name)
  try {
    const content = new Uint8Array(await file.length())
    const read = await file.read(content, 0)
    return content.subarray(0, read)
  } finally {
    await file.close()
  }
}
