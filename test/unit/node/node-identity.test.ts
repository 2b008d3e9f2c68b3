import { expect } from 'chai'
import { TwofoldError } from '../../../src/core/errors.ts'
import type { ClusterId } from '../../../src/core/ids.ts'
import { openIdentity, requireStoreOrEmpty, saveIdentity } from '../../../src/node/node-identity.ts'
import { expectError } from '../../support/expect-error.ts'
import { SeededRandom } from '../../support/seeded-random.ts'
import { hex, memoryDisk, writeFile } from './node-fixture.ts'

describe('identity of a node', () => {
  const random = new SeededRandom(3)

  it('is made once, and the same from then on, also after a loss of power', async () => {
    const { disk, below } = memoryDisk()
    const first = await openIdentity(disk, random)
    expect(first.nodeId).to.match(/^[0-9a-f]{32}$/)
    expect(first.incarnation)
      .to.match(/^[0-9a-f]{32}$/)
      .and.not.to.equal(first.nodeId)
    expect(first.signingSeed).to.have.length(32)
    expect(first.clusterId).to.equal(undefined)
    below.crash()
    const again = await openIdentity(disk, random)
    expect({ ...again, signingSeed: [...again.signingSeed] }).to.deep.equal({
      ...first,
      signingSeed: [...first.signingSeed],
    })
  })

  it('is another for every store', async () => {
    const one = await openIdentity(memoryDisk().disk, random)
    const two = await openIdentity(memoryDisk().disk, random)
    expect(one.nodeId).not.to.equal(two.nodeId)
    expect(one.signingSeed).not.to.deep.equal(two.signingSeed)
  })

  it('remembers its cluster', async () => {
    const { disk, below } = memoryDisk()
    const identity = await openIdentity(disk, random)
    await saveIdentity(disk, { ...identity, clusterId: hex<ClusterId>('c') })
    below.crash()
    expect(await openIdentity(disk, random)).to.include({ nodeId: identity.nodeId, clusterId: hex('c') })
  })

  it('is never made up for a directory that has something in it', async () => {
    for (const path of ['packs', 'document.txt', 'locksmith', 'sequence.json']) {
      const { disk, below } = memoryDisk()
      await writeFile(disk, path, 'x')
      for (const open of [requireStoreOrEmpty(disk), openIdentity(disk, random)]) {
        const error = await expectError(open, 'failed-precondition')
        expect(error.message).to.contain(path).and.to.contain('mounted')
      }
      expect(below.files()).to.deep.equal([path])
    }
  })

  it('is made where only a lock, or a first attempt that was broken off, is', async () => {
    const { disk } = memoryDisk()
    await writeFile(disk, 'lock', '')
    await writeFile(disk, 'lock-journal', '')
    await writeFile(disk, 'node.json.tmp', '{"formatVer')
    await requireStoreOrEmpty(disk)
    const identity = await openIdentity(disk, random)
    expect((await openIdentity(disk, random)).nodeId).to.equal(identity.nodeId)
  })

  it('is not taken for missing when it cannot be read', async () => {
    const { disk } = memoryDisk()
    await openIdentity(disk, random)
    disk.fail('open', new TwofoldError('io', 'EIO'))
    await expectError(openIdentity(disk, random), 'io')
  })

  const good = { formatVersion: 1, nodeId: hex('1'), incarnation: hex('2'), clusterId: '', signingSeed: hex('33') }
  const damages = {
    nothing: '',
    'half of it': JSON.stringify(good).slice(0, 60),
    null: 'null',
    'no node id': JSON.stringify({ ...good, nodeId: undefined }),
    'a node id that is none': JSON.stringify({ ...good, nodeId: '../..' }),
    'a number as incarnation': JSON.stringify({ ...good, incarnation: 7 }),
    'a short key': JSON.stringify({ ...good, signingSeed: hex('3') }),
    'a key that is none': JSON.stringify({ ...good, signingSeed: 'secret' }),
    'a cluster that is none': JSON.stringify({ ...good, clusterId: 'x' }),
  }
  for (const [what, content] of Object.entries(damages)) {
    it(`is called damaged when its file holds ${what}, and left as it is`, async () => {
      const { disk, below } = memoryDisk()
      await writeFile(disk, 'node.json', content)
      const error = await expectError(openIdentity(disk, random), 'integrity')
      expect(error.message).to.contain('node.json is damaged')
      expect(below.files()).to.deep.equal(['node.json'])
    })
  }

  it('is refused when a newer program wrote it', async () => {
    const { disk } = memoryDisk()
    await writeFile(disk, 'node.json', JSON.stringify({ ...good, formatVersion: 2 }))
    await expectError(openIdentity(disk, random), 'unsupported')
  })
})
