import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDisk } from '../../src/system/disk.ts'
import { diskContract } from './disk.contract.ts'

diskContract('real', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'twofold-disk-'))
  const disk = await openDisk(join(directory, 'store'))
  return { disk, cleanup: () => rm(directory, { recursive: true }) }
})
