import { expect } from 'chai'
import type { ChunkId } from '../../../src/core/ids.ts'
import { openSqliteCatalogue } from '../../../src/manager/catalogue-sqlite.ts'
import type { NodeRow } from '../../../src/manager/catalogue-rows.ts'
import { LogFacts } from '../../../src/manager/recovery/log-facts.ts'
import { PackIntake } from '../../../src/manager/recovery/pack-intake.ts'
import { aNode } from '../../support/catalogue-rows.ts'
import { packIdOf } from '../../contract/pack-store.contract.ts'
import { SeededRandom } from '../../support/seeded-random.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

describe('what nodes report in a recovery', () => {
  const chunkId = new Uint8Array(32).fill(7) as ChunkId
  const vaultId = new Uint8Array(16).fill(1)

  for (const order of ['abb', 'bab', 'bba']) {
    it(`counts a chunk of two packs in the one that has enough copies, reported as ${order}`, async () => {
      const catalogue = openSqliteCatalogue(':memory:')
      const clock = new VirtualClock()
      const intake = new PackIntake({ catalogue, clock, random: new SeededRandom(3) }, new LogFacts())
      const nodes = await catalogue.write(async (tx) => {
        const rows: NodeRow[] = []
        for (const number of [1, 2, 3]) rows.push(await tx.nodes.put(aNode(number, `n${number}`)))
        return rows
      })
      for (const [index, pack] of [...order].entries()) {
        const packId = packIdOf(pack)
        const entry = { chunkId, kind: 'data', length: 200, plainLength: 72, refs: new Uint8Array() } as const
        await intake.takePack(nodes[index]!, {
          kind: 'pack',
          pack: { packId, generation: 1, putSequence: 1, lengthBytes: 1000, provenAtMs: 1 },
          vaultId,
          entries: [{ ...entry, offset: pack === 'a' ? 100 : 500 }],
          manifests: [],
          complete: true,
        })
      }
      await catalogue.read(async (tx) => {
        const [vault] = (await tx.vaults.all()).filter(({ chunks }) => chunks > 0)
        const [row] = await tx.chunks.find(vault?.id ?? 0, [chunkId])
        expect(row).to.deep.include({ pack: (await tx.packs.find(packIdOf('b')))?.id, offset: 500 })
        expect(vault).to.include({ chunks: 1, packs: 2 })
      })
      await catalogue.close()
    })
  }
})
