import { expect } from 'chai'
import { silentLogger } from '../../../../src/core/logger.ts'
import { ChunkLoader } from '../../../../src/client/chunk-loader.ts'
import { runRestore } from '../../../../src/client/restore.ts'
import { inlineCodec } from '../../../../src/format/codec.ts'
import type { TreeEntry } from '../../../../src/format/tree.ts'
import { RestoreBench } from '../../../support/restore-bench.ts'
import { MemoryTarget } from '../../../support/memory-target.ts'

/** Gives the entry `victim` another name, as a tree could have that was not made by this program. */
class HostileLoader extends ChunkLoader {
  evil: Uint8Array = new Uint8Array(0)

  override async loadTrees(...args: Parameters<ChunkLoader['loadTrees']>): ReturnType<ChunkLoader['loadTrees']> {
    const rename = (entry: TreeEntry): TreeEntry => {
      return Buffer.from(entry.name).toString() === 'victim' ? { ...entry, name: this.evil } : entry
    }
    const trees = await super.loadTrees(...args)
    return new Map([...trees].map(([key, node]) => [key, { ...node, entries: node.entries.map(rename) }]))
  }
}

describe('restore of a tree that was made to do harm', () => {
  for (const kind of ['file', 'directory', 'symlink'] as const) {
    it(`refuses names of a ${kind} that lead elsewhere, and restores the rest`, async () => {
      const bench = await RestoreBench.start()
      bench.source.file('/other/good', 'good')
      if (kind === 'file') bench.source.file('/bad/victim', 'evil')
      if (kind === 'directory') bench.source.file('/bad/victim/below', 'evil')
      if (kind === 'symlink') bench.source.symlink('/bad/victim', '/etc')
      await bench.backup()
      const { cluster, clock, random } = bench
      const deps = { ...cluster.clientPorts, clock, random, codec: inlineCodec, logger: silentLogger }
      const loader = new HostileLoader(deps)
      for (const evil of ['..', '../../escape', '/etc/evil', '.', '', 'a/b', 'nul\0', 'x'.repeat(256)]) {
        loader.evil = Buffer.from(evil)
        const target = new MemoryTarget()
        const summary = await runRestore({ ...deps, loader }, { reference: 'latest', target })
        expect(summary, evil).to.include({ filesRestored: 1, problems: 1, damaged: 1 })
        expect([...target.entries.keys()].sort(), evil).to.deep.equal(['', 'bad', 'other', 'other/good'])
      }
    })
  }
})
