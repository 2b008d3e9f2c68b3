import { expect } from 'chai'
import { TwofoldError } from '../../../src/core/errors.ts'
import type { PackId } from '../../../src/core/ids.ts'
import { contentOf, put } from '../../contract/pack-store.contract.ts'
import { expectError } from '../../support/expect-error.ts'
import { hex, memoryDisk, openStore, packId } from './node-fixture.ts'
import type { MemoryDisk } from './node-fixture.ts'

const recordBytes = 40
const other = hex<PackId>('b')

describe('log of proofs', () => {
  let disk: MemoryDisk
  beforeEach(async () => {
    disk = memoryDisk()
    const store = await openStore(disk.disk)
    await put(store, packId, contentOf(1, 100))
    await put(store, other, contentOf(2, 100))
    for (const [id, number, atMs] of [
      [packId, 1, 100],
      [other, 2, 200],
      [packId, 1, 300],
    ] as const) {
      store.markProven(id, number, atMs)
      await store.saveProofs()
    }
  })

  async function rewrite(change: (content: Buffer) => Buffer): Promise<void> {
    const file = await disk.disk.open('proofs.log')
    const content = Buffer.alloc(await file.length())
    await file.read(content, 0)
    await file.close()
    await disk.disk.remove('proofs.log')
    const again = await disk.disk.create('proofs.log')
    await again.write(change(content), 0)
    await again.close()
  }
  const proven = async (): Promise<(number | undefined)[]> => {
    const store = await openStore(disk.disk)
    return [packId, other].map((id) => store.stat(id)?.provenAtMs)
  }

  it('is read to where it is torn', async () => {
    await rewrite((content) => content.subarray(0, content.length - 1))
    expect(await proven()).to.deep.equal([100, 200])
  })

  it('skips what is damaged', async () => {
    await rewrite((content) => {
      content[recordBytes + 24]! ^= 1
      return content
    })
    expect(await proven()).to.deep.equal([300, 0])
  })

  it('may be lost', async () => {
    await disk.disk.remove('proofs.log')
    expect(await proven()).to.deep.equal([0, 0])
    disk.disk.fail('read', new TwofoldError('io', 'EIO'))
    await disk.disk.remove('sequence.json')
    expect(await proven()).to.deep.equal([0, 0])
  })

  it('does not grow without end', async () => {
    const store = await openStore(disk.disk)
    for (let round = 1; round <= 6; round++) {
      for (let proof = 1; proof <= 2000; proof++) store.markProven(packId, 1, round * 10_000 + proof)
      await store.saveProofs()
    }
    const file = await disk.disk.open('proofs.log')
    expect((await file.length()) / recordBytes).to.be.within(1, 4100)
    expect(await proven()).to.deep.equal([62_000, 200])
    expect(disk.below.files()).not.to.include('proofs.log.tmp')
  })

  it('loses nothing that it was told when the disk is full for a while', async () => {
    const store = await openStore(disk.disk)
    disk.disk.fail('create', new TwofoldError('no-room', 'ENOSPC'))
    store.markProven(packId, 1, 400)
    await store.saveProofs()
    expect(store.problem).to.equal('')
    disk.disk.fail('create', undefined)
    await store.saveProofs()
    expect(await proven()).to.deep.equal([400, 200])
  })

  it('makes the store read-only when the disk fails it, and writes to no such file again', async () => {
    const store = await openStore(disk.disk)
    disk.disk.fail('sync', new TwofoldError('io', 'EIO'))
    store.markProven(packId, 1, 400)
    await expectError(store.saveProofs(), 'io')
    expect(store.problem).to.contain('EIO')
    disk.disk.fail('sync', undefined)
    await store.saveProofs()
    expect(await proven()).to.deep.equal([300, 200])
  })
})
