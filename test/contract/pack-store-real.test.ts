import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLogger } from '../../src/core/logger.ts'
import { FilePackStore } from '../../src/node/pack-store-files.ts'
import { openDisk } from '../../src/system/disk.ts'
import { packStoreContract } from './pack-store.contract.ts'

packStoreContract('files on the real disk', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'twofold-packs-'))
  return {
    open: async (capacityBytes = 1e8) =>
      FilePackStore.open({ disk: await openDisk(directory), capacityBytes, logger: silentLogger }),
    cleanup: () => rm(directory, { recursive: true }),
  }
})
