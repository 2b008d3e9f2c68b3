import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Disk } from '../../src/core/disk.ts'
import { openDisk } from '../../src/system/disk.ts'
import { diskContract } from './disk.contract.ts'
import type { DiskUnderTest } from './disk.contract.ts'

async function realDisk(): Promise<DiskUnderTest> {
  const directory = await mkdtemp(join(tmpdir(), 'twofold-disk-'))
  const disk = await openDisk(join(directory, 'store'))
  return { disk, cleanup: () => rm(directory, { recursive: true }) }
}

/** Every file is said to be written in order, whether it is or not. */
function alwaysInOrder(disk: Disk): Disk {
  return {
    create: (path) => disk.create(path, { inOrder: true }),
    open: (path) => disk.open(path),
    rename: (from, to) => disk.rename(from, to),
    remove: (path) => disk.remove(path),
    makeDirectory: (path) => disk.makeDirectory(path),
    syncDirectory: (path) => disk.syncDirectory(path),
    list: (path) => disk.list(path),
    freeBytes: () => disk.freeBytes(),
  }
}

diskContract('real', realDisk)
diskContract('real, around the cache', async () => {
  const { disk, cleanup } = await realDisk()
  return { disk: alwaysInOrder(disk), cleanup }
})
