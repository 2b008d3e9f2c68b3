import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { PaperCluster, chunk } from '../cluster-fixture.ts'
import { forget, prune } from './gc-fixture.ts'

describe('the file of the catalogue', () => {
  it('does not grow with what was forgotten', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'twofold-gc-'))
    try {
      const path = join(directory, 'catalogue.db')
      const cluster = await PaperCluster.start(3, { path })
      const sizes: number[] = []
      for (let round = 0; round < 8; round++) {
        const session = await cluster.begin()
        const names = Array.from({ length: 3000 }, (_, n) => `${round} ${n}`)
        await cluster.store(session, names.map(chunk))
        const { snapshotId } = await cluster.manager.commitSnapshot(await cluster.upload(session, names))
        await forget(cluster, [snapshotId])
        await prune(cluster)
        await cluster.restart()
        await cluster.settleAll()
        sizes.push(statSync(path).size)
      }
      expect(sizes.at(-1)).to.be.lessThan((sizes[1] ?? 0) * 1.1)
      await cluster.catalogue.close()
    } finally {
      rmSync(directory, { recursive: true })
    }
  })
})
