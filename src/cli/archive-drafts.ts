import { createHash } from 'node:crypto'
import { readlinkSync } from 'node:fs'
import { readdir, unlink } from 'node:fs/promises'
import { hostname } from 'node:os'
import { basename, dirname, join } from 'node:path'

/** The draft of an archive: it says which process of which machine writes it. */
export function draftName(name: string, mark: string, pid = process.pid): string {
  return `${beginning(name)}${place()}-${pid}-${mark}.part`
}

/**
 * Removes drafts of a file whose processes are gone: killed, or ended with the machine's power. Those of other
 * machines, which may write into the same folder, are left alone. @throws the system's errors
 */
export async function removeLeftDrafts(path: string): Promise<void> {
  const folder = dirname(path)
  const start = `${beginning(basename(path))}${place()}-`
  for (const name of await namesIn(folder)) {
    if (!name.startsWith(start)) continue
    const pid = /^(\d{1,10})-[^-]*\.part$/.exec(name.slice(start.length))?.[1]
    if (pid === undefined || lives(Number(pid))) continue
    await unlink(join(folder, name)).catch((error: unknown) => {
      // Another one was faster.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    })
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    // One that may be written into but not listed is cleaned up by nobody.
    if ((error as NodeJS.ErrnoException).code === 'EACCES') return []
    throw error
  }
}

/** So much of a name that all of the draft's fits into the 255 bytes of a file system. */
const nameBytesMax = 200

function beginning(name: string): string {
  const characters = [...name]
  while (Buffer.byteLength(characters.join('')) > nameBytesMax) characters.pop()
  return `.${characters.join('')}.`
}

/** Where numbers of processes mean the same ones: this machine, or this container on it. */
function place(): string {
  return createHash('sha256').update(`${hostname()} ${processNamespace()}`).digest('hex').slice(0, 8)
}

function processNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid')
  } catch {
    // There are none but on Linux.
    return ''
  }
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // It is there, and somebody else's.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
