import { expect } from 'chai'
import { TwofoldError } from '../../../src/core/errors.ts'
import { PutSequence } from '../../../src/node/put-sequence.ts'
import { expectError } from '../../support/expect-error.ts'
import { memoryDisk, writeFile } from './node-fixture.ts'

describe('put sequence', () => {
  it('starts at one and grows by one', async () => {
    const sequence = await PutSequence.open(memoryDisk().disk)
    expect(sequence.last).to.equal(0)
    expect([await sequence.next(), await sequence.next(), await sequence.next()]).to.deep.equal([1, 2, 3])
    expect(sequence.last).to.equal(3)
  })

  it('gives every caller another number, also many at once and across blocks', async () => {
    const sequence = await PutSequence.open(memoryDisk().disk)
    const numbers = await Promise.all(Array.from({ length: 3000 }, () => sequence.next()))
    expect(numbers).to.deep.equal(Array.from({ length: 3000 }, (_, index) => index + 1))
  })

  it('never gives a number again after a loss of power, whenever that was', async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const { disk, below } = memoryDisk(seed)
      let last = 0
      for (let life = 0; life < 4; life++) {
        const sequence = await PutSequence.open(disk)
        expect(sequence.last).to.be.at.least(last)
        for (let turn = 0; turn < seed * 100; turn++) {
          const number = await sequence.next()
          expect(number).to.be.greaterThan(last)
          last = number
        }
        below.crash()
      }
    }
  })

  it('gives no number that it could not reserve', async () => {
    const { disk } = memoryDisk()
    const sequence = await PutSequence.open(disk)
    disk.fail('sync', new TwofoldError('io', 'EIO'))
    await expectError(sequence.next(), 'io')
    await expectError(sequence.next(), 'io')
    disk.fail('sync', undefined)
    expect(await sequence.next()).to.equal(1)
    expect((await PutSequence.open(disk)).last).to.be.at.least(1)
  })

  it('goes on above a number that is known to have been given', async () => {
    const { disk } = memoryDisk()
    const sequence = await PutSequence.open(disk)
    sequence.raise(5000)
    expect(sequence.last).to.equal(5000)
    expect(await sequence.next()).to.equal(5001)
    sequence.raise(7)
    expect(await sequence.next()).to.equal(5002)
    expect((await PutSequence.open(disk)).last).to.be.at.least(5002)
  })

  for (const content of ['', 'x', 'null', '{}', '{"reserved":-1}', '{"reserved":1.5}', '{"reserved":"7"}', '[1]']) {
    it(`says that its file is damaged when that holds ${content === '' ? 'nothing' : content}`, async () => {
      const { disk } = memoryDisk()
      await writeFile(disk, 'sequence.json', content)
      const error = await expectError(PutSequence.open(disk), 'integrity')
      expect(error.message).to.contain('sequence.json is damaged')
    })
  }
})
