import { silentLogger } from '../../src/core/logger.ts'
import { FilePackStore } from '../../src/node/pack-store-files.ts'
import { SimDisk } from '../sim/sim-disk.ts'
import { SeededRandom } from '../support/seeded-random.ts'
import { packStoreContract } from './pack-store.contract.ts'

packStoreContract('files on the simulated disk', () => {
  const before = (): Promise<void> => Promise.resolve()
  const disk = new SimDisk({ random: new SeededRandom(5), capacityBytes: 1e10, before })
  return Promise.resolve({
    open: (capacityBytes = 1e8) => FilePackStore.open({ disk, capacityBytes, logger: silentLogger }),
    cleanup: () => Promise.resolve(),
  })
})
