import { expect } from 'chai'
import { TwofoldError } from '../../../src/core/errors.ts'
import { diskReserveBytes } from '../../../src/core/limits.ts'
import { contentIn, contentOf, packIdOf, put } from '../../contract/pack-store.contract.ts'
import { expectError } from '../../support/expect-error.ts'
import type { DiskCall } from '../../support/faulty-disk.ts'
import { memoryDisk, openStore, writeFile } from './node-fixture.ts'

const a = packIdOf('a')
const b = packIdOf('b')
const everything = { generationMax: 99 }
const broken = new TwofoldError('io', 'EIO')

describe('pack store in files', () => {
  it('names a pack after all that is known of its put', async () => {
    const { disk, below } = memoryDisk()
    const store = await openStore(disk)
    const draft = await store.begin(a, 7, 10)
    expect(below.files()).to.deep.equal([`incoming/${a}.7.tmp`])
    await draft.append(new Uint8Array(10))
    await draft.seal()
    await draft.close()
    expect(below.files()).to.deep.equal([`packs/aa/${a}.7.1.10.pack`, 'sequence.json'])
  })

  for (const call of ['sync', 'rename', 'syncDirectory'] as const) {
    it(`takes no more writes when ${call} fails while a pack is sealed, and nothing of it comes back`, async () => {
      const { disk } = memoryDisk()
      const store = await openStore(disk)
      await put(store, b, contentOf(2))
      disk.fail(call, broken)
      await expectError(put(store, a, contentOf(1)), 'io')
      disk.fail(call, undefined)
      expect(store.problem).to.match(/disk failed \(EIO\)/)
      expect(store.stat(a)).to.equal(undefined)
      expect((await store.usage()).usedBytes).to.equal(100_000)
      await expectError(store.begin(a, 2, 1000), 'read-only')
      expect((await contentIn(store, b)).equals(contentOf(2))).to.equal(true)
      const reopened = await openStore(disk)
      expect([...reopened.list()].map((pack) => pack.packId)).to.deep.equal([b])
    })
  }

  it('seals nothing more once another draft met a failing disk', async () => {
    const { disk } = memoryDisk()
    const store = await openStore(disk)
    const draft = await store.begin(a, 1, 10)
    await draft.append(new Uint8Array(10))
    disk.fail('sync', broken)
    await expectError(put(store, b, contentOf(1)), 'io')
    disk.fail('sync', undefined)
    await expectError(draft.seal(), 'read-only')
    await draft.close()
    expect([...store.list()]).to.deep.equal([])
  })

  it('goes on when a draft is written or sealed that was given up', async () => {
    const { disk, below } = memoryDisk()
    const store = await openStore(disk)
    for (const late of ['append', 'seal'] as const) {
      const draft = await store.begin(a, 1, 10)
      if (late === 'seal') await draft.append(new Uint8Array(10))
      await draft.close()
      await expectError(late === 'seal' ? draft.seal() : draft.append(new Uint8Array(10)), 'cancelled')
    }
    expect(store.problem).to.equal('')
    expect(below.files()).to.deep.equal([])
    await put(store, a, contentOf(1))
  })

  it('takes no more writes when a sync fails of a draft that was given up while it was sealed', async () => {
    const { disk } = memoryDisk()
    const store = await openStore(disk)
    const draft = await store.begin(a, 1, 10)
    await draft.append(new Uint8Array(10))
    disk.fail('syncDirectory', broken)
    const sealed = expectError(draft.seal(), 'io')
    await draft.close()
    await sealed
    expect(store.problem).to.match(/disk failed \(EIO\)/)
  })

  for (const call of ['create', 'write'] as const) {
    it(`goes on when the disk is full at ${call}`, async () => {
      const { disk, below } = memoryDisk()
      const store = await openStore(disk)
      disk.fail(call, new TwofoldError('no-room', 'ENOSPC'))
      await expectError(put(store, a, contentOf(1)), 'no-room')
      disk.fail(call, undefined)
      expect(below.files()).to.deep.equal([])
      expect(await store.usage()).to.include({ usedBytes: 0, freeBytes: 1e8 })
      await put(store, a, contentOf(1))
      expect(store.problem).to.equal('')
    })
  }

  it('leaves nothing of a draft whose last bytes find no room when it is given up', async () => {
    const { disk, below } = memoryDisk()
    const store = await openStore(disk)
    const draft = await store.begin(a, 1, 10)
    await draft.append(new Uint8Array(5))
    disk.fail('close', new TwofoldError('no-room', 'ENOSPC'))
    await draft.close()
    expect(below.files()).to.deep.equal([])
    expect(store.problem).to.equal('')
  })

  it('leaves some of the disk free, and counts what is being written', async () => {
    const { disk } = memoryDisk()
    const store = await openStore(disk)
    disk.free = diskReserveBytes + 1000
    expect((await store.usage()).freeBytes).to.equal(1000)
    const draft = await store.begin(a, 1, 600)
    await expectError(store.begin(b, 1, 401), 'no-room')
    await (await store.begin(b, 1, 400)).close()
    await draft.close()
    disk.free = 0
    expect((await store.usage()).freeBytes).to.equal(0)
  })

  it('takes no more writes when the disk cannot say how much room it has, but still reports', async () => {
    const { disk } = memoryDisk()
    const store = await openStore(disk)
    await put(store, a, contentOf(1))
    disk.fail('freeBytes', broken)
    expect(await store.usage()).to.include({ freeBytes: 0, packs: 1, usedBytes: 100_000 })
    expect(store.problem).to.contain('EIO')
    expect((await contentIn(store, a)).equals(contentOf(1))).to.equal(true)
  })

  for (const call of ['remove', 'syncDirectory'] as const) {
    it(`removes again what it could not remove because ${call} failed`, async () => {
      const { disk } = memoryDisk()
      const store = await openStore(disk)
      await put(store, a, contentOf(1))
      disk.fail(call, broken)
      await expectError(store.remove(a, everything), 'io')
      await expectError(store.remove(a, everything), 'io')
      expect(store.problem).to.contain('EIO')
      disk.fail(call, undefined)
      expect(await store.remove(a, everything)).to.equal(true)
      expect(store.stat(a)).to.equal(undefined)
      expect([...(await openStore(disk)).list()]).to.deep.equal([])
    })
  }

  for (const call of ['create', 'write'] as const) {
    it(`takes no more writes when ${call} fails because the disk does`, async () => {
      const { disk } = memoryDisk()
      const store = await openStore(disk)
      disk.fail(call, broken)
      await expectError(put(store, a, contentOf(1)), 'io')
      disk.fail(call, undefined)
      await expectError(store.begin(a, 2, 1000), 'read-only')
    })
  }

  for (const call of ['create', 'write', 'sync', 'rename', 'syncDirectory', 'freeBytes'] as const) {
    it(`goes on when files or memory are short at ${call}`, async () => {
      const { disk, below } = memoryDisk()
      const store = await openStore(disk)
      disk.fail(call, new TwofoldError('overloaded', 'EMFILE'))
      await expectError(put(store, a, contentOf(1)), 'overloaded')
      await store.usage()
      disk.fail(call, undefined)
      expect(store.problem).to.equal('')
      expect(below.files().filter((path) => !path.startsWith('sequence.json'))).to.deep.equal([])
      await put(store, a, contentOf(1))
    })
  }

  it('never syncs a file again whose sync failed', async () => {
    const { disk } = memoryDisk()
    const store = await openStore(disk)
    const draft = await store.begin(a, 1, 10)
    await draft.append(new Uint8Array(10))
    disk.fail('sync', new TwofoldError('no-room', 'ENOSPC'))
    await expectError(draft.seal(), 'no-room')
    disk.fail('sync', undefined)
    await expectError(draft.seal(), 'io')
    await draft.close()
    expect(store.stat(a)).to.equal(undefined)
  })

  it('removes, puts aside and discards although the disk is full or takes no new files', async () => {
    const { disk, below } = memoryDisk()
    const store = await openStore(disk)
    const first = await put(store, a, contentOf(1))
    await put(store, b, contentOf(2))
    disk.free = 0
    for (const call of ['create', 'write'] as const) disk.fail(call, new TwofoldError('no-room', 'ENOSPC'))
    await store.quarantine(a, first.putSequence, { problem: 'rotten', foundAtMs: 1 })
    await store.discard(a, first.putSequence)
    expect(await store.remove(b, everything)).to.equal(true)
    expect(below.files()).to.deep.equal(['sequence.json'])
  })

  for (const call of ['rename', 'syncDirectory'] as const) {
    it(`serves a damaged pack no more although it cannot be put aside because ${call} fails`, async () => {
      const { disk } = memoryDisk()
      const store = await openStore(disk)
      const { putSequence } = await put(store, a, contentOf(1))
      disk.fail(call, broken)
      expect(await store.quarantine(a, putSequence, { problem: 'rotten', foundAtMs: 1 })).to.equal(true)
      expect(store.stat(a)).to.equal(undefined)
      expect([...store.quarantined()].map(({ problem }) => problem)).to.deep.equal(['rotten'])
      expect(store.problem).to.contain('EIO')
      disk.fail(call, undefined)
      await store.discard(a, putSequence)
      expect([...(await openStore(disk)).list()]).to.deep.equal([])
    })
  }

  it('lets no older put of a removed pack come back that could not be removed in its time', async () => {
    const { disk } = memoryDisk()
    const store = await openStore(disk)
    await put(store, a, contentOf(1))
    disk.fail('remove', broken)
    await put(store, a, contentOf(2), { generation: 2 })
    disk.fail('remove', undefined)
    await store.remove(a, everything)
    expect([...(await openStore(disk)).list()]).to.deep.equal([])
  })

  it('does not call a pack that it cannot open missing', async () => {
    const { disk } = memoryDisk()
    const store = await openStore(disk)
    await put(store, a, contentOf(1))
    disk.fail('open', broken)
    await expectError(store.open(a), 'io')
  })
})

describe('opening a pack store in files', () => {
  it('removes what was not sealed', async () => {
    const { disk, below } = memoryDisk()
    await openStore(disk)
    for (const name of [`${a}.1.tmp`, `${b}.12.tmp`, 'anything']) await writeFile(disk, `incoming/${name}`, 'x')
    await openStore(disk)
    expect(below.files()).to.deep.equal([])
    below.crash()
    expect(below.files()).to.deep.equal([])
  })

  it('puts aside what is no pack, and loses none of it', async () => {
    const { disk, below } = memoryDisk()
    await put(await openStore(disk), a, contentOf(1))
    const odd = {
      'aa/document.txt': 'x',
      [`aa/${a}.1.2.pack`]: '',
      [`aa/${b}.1.2.pack`]: 'on the shelf of another',
      [`aa/${a}.01.2.pack`]: 'a number that this program does not write',
      [`aa/${a}.1.99999999999999999999.pack`]: 'a number that nobody can count to',
      [`aa/${a}.2.pack`]: 'without a generation',
      [`aa/${a.toUpperCase()}.1.3.pack`]: 'in capitals',
    }
    for (const [path, content] of Object.entries(odd)) await writeFile(disk, `packs/${path}`, content)
    const store = await openStore(disk)
    expect([...store.list()].map((pack) => pack.putSequence)).to.deep.equal([1])
    expect((await contentIn(store, a)).equals(contentOf(1))).to.equal(true)
    const aside = Object.keys(odd).map((path) => `quarantine/${path.slice(3)}`)
    expect(below.files().filter((path) => path.startsWith('quarantine/'))).to.have.members(aside)
  })

  for (const [what, change, problem] of [
    ['lost its end', (bytes: Uint8Array) => bytes.subarray(0, 99_999), 'has 99999 of 100000 bytes'],
    ['lost everything', () => new Uint8Array(0), 'is empty'],
    ['grew', (bytes: Uint8Array) => Buffer.concat([bytes, bytes]), 'has 200000 of 100000 bytes'],
  ] as const) {
    it(`puts a pack aside that ${what}, and reports it`, async () => {
      const { disk, below } = memoryDisk()
      const { putSequence } = await put(await openStore(disk), a, contentOf(1))
      const [path] = below.files().filter((name) => name.startsWith('packs/'))
      await disk.remove(path!)
      const file = await disk.create(path!)
      await file.write(change(contentOf(1)), 0)
      await file.close()
      const store = await openStore(disk)
      expect([...store.list()]).to.deep.equal([])
      const [copy] = store.quarantined()
      expect(copy).to.include({ packId: a, putSequence })
      expect(copy?.problem).to.contain(problem)
      expect([...(await openStore(disk)).quarantined()]).to.have.length(1)
    })
  }

  it('reports a pack that somebody renamed, but not when it is also where it belongs', async () => {
    const { disk, below } = memoryDisk()
    let store = await openStore(disk)
    await put(store, a, contentOf(1))
    await put(store, b, contentOf(2))
    const files = below.files().filter((name) => name.startsWith('packs/'))
    await disk.rename(files[0]!, files[0]!.replace('/aa/', '/bb/'))
    await writeFile(disk, files[1]!.replace('/bb/', '/aa/'), 'something else')
    store = await openStore(disk)
    expect([...store.quarantined()].map(({ packId }) => packId)).to.deep.equal([a])
    expect([...store.list()].map(({ packId }) => packId)).to.deep.equal([b])
    expect((await store.usage()).usedBytes).to.equal(200_014)
  })

  it('knows packs by the names of older versions, and names them anew', async () => {
    const { disk, below } = memoryDisk()
    await put(await openStore(disk), a, contentOf(1))
    await disk.rename(`packs/aa/${a}.1.1.100000.pack`, `packs/aa/${a}.1.1.pack`)
    const store = await openStore(disk)
    expect(store.stat(a)).to.include({ putSequence: 1, lengthBytes: 100_000 })
    expect(below.files()).to.include(`packs/aa/${a}.1.1.100000.pack`)
    expect((await contentIn(store, a)).equals(contentOf(1))).to.equal(true)
  })

  it('keeps the newest put of a pack whose older one was about to be removed', async () => {
    const { disk, below } = memoryDisk()
    const store = await openStore(disk)
    await put(store, a, contentOf(1))
    disk.fail('remove', broken)
    const { putSequence } = await put(store, a, contentOf(2), { generation: 2 })
    disk.fail('remove', undefined)
    expect(store.problem, 'a disk that removes nothing is no good').to.contain('EIO')
    expect(below.files().filter((path) => path.startsWith('packs/'))).to.have.length(2)
    const reopened = await openStore(disk)
    expect([...reopened.list()].map((pack) => pack.putSequence)).to.deep.equal([putSequence])
    expect((await contentIn(reopened, a)).equals(contentOf(2))).to.equal(true)
    expect(await reopened.usage()).to.include({ packs: 1, usedBytes: 100_000 })
    expect(below.files().filter((path) => path.startsWith('packs/'))).to.have.length(1)
  })

  it('gives no number again although the file with the numbers is gone', async () => {
    const { disk } = memoryDisk()
    const store = await openStore(disk)
    await put(store, a, contentOf(1))
    await put(store, b, contentOf(2))
    const { putSequence } = await put(store, packIdOf('d'), contentOf(2))
    await store.quarantine(packIdOf('d'), putSequence, { problem: 'rotten', foundAtMs: 1 })
    await disk.remove('sequence.json')
    const reopened = await openStore(disk)
    expect((await reopened.usage()).putSequence).to.be.at.least(putSequence)
    expect((await put(reopened, packIdOf('c'), contentOf(3))).putSequence).to.be.greaterThan(putSequence)
  })

  for (const call of ['remove', 'syncDirectory', 'rename'] satisfies DiskCall[]) {
    it(`fails when ${call} fails, and takes nothing for empty`, async () => {
      const { disk } = memoryDisk()
      await put(await openStore(disk), a, contentOf(1))
      await writeFile(disk, 'incoming/x', 'x')
      await writeFile(disk, 'packs/aa/x', 'x')
      disk.fail(call, broken)
      await expectError(openStore(disk), 'io')
      disk.fail(call, undefined)
      expect([...(await openStore(disk)).list()]).to.have.length(1)
    })
  }
})
