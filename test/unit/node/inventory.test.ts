import { expect } from 'chai'
import type { PackId } from '../../../src/core/ids.ts'
import { Inventory } from '../../../src/node/inventory.ts'
import type { StoredPack } from '../../../src/node/pack-store.ts'
import { hex } from './node-fixture.ts'

const pack = (digit: string, putSequence: number, lengthBytes = 1000): StoredPack => {
  return { packId: hex<PackId>(digit), lengthBytes, generation: 1, putSequence, provenAtMs: 0 }
}
const digestOf = (...packs: StoredPack[]): string => {
  const inventory = new Inventory()
  for (const one of packs) inventory.put(one)
  return Buffer.from(inventory.digest).toString('hex')
}

describe('inventory', () => {
  it('counts packs and bytes', () => {
    const inventory = new Inventory()
    inventory.put(pack('a', 1, 10))
    inventory.put(pack('b', 2, 20))
    expect([inventory.size, inventory.usedBytes]).to.deep.equal([2, 30])
    inventory.put(pack('a', 3, 5))
    expect([inventory.size, inventory.usedBytes]).to.deep.equal([2, 25])
    inventory.delete(hex('b'))
    inventory.delete(hex('b'))
    expect([inventory.size, inventory.usedBytes]).to.deep.equal([1, 5])
    expect(inventory.get(hex('a'))).to.deep.equal(pack('a', 3, 5))
    expect(inventory.get(hex('b'))).to.equal(undefined)
    expect([...inventory.values()]).to.have.length(1)
  })

  it('has a digest of its puts alone, in any order', () => {
    const zero = '0'.repeat(64)
    expect(digestOf()).to.equal(zero)
    expect(digestOf(pack('a', 1), pack('b', 2))).to.equal(digestOf(pack('b', 2), pack('a', 1)))
    expect(digestOf(pack('a', 1), pack('b', 2))).not.to.equal(digestOf(pack('a', 2), pack('b', 1)))
    expect(digestOf(pack('a', 1))).not.to.equal(digestOf(pack('a', 2)))
    expect(digestOf({ ...pack('a', 1), provenAtMs: 9 })).to.equal(digestOf(pack('a', 1)))
    expect(digestOf(pack('a', 1), pack('a', 2))).to.equal(digestOf(pack('a', 2)))
    const inventory = new Inventory()
    inventory.put(pack('a', 1))
    inventory.delete(hex('a'))
    expect(Buffer.from(inventory.digest).toString('hex')).to.equal(zero)
  })

  it('hands out a copy of its digest', () => {
    const inventory = new Inventory()
    inventory.digest.fill(9)
    expect(inventory.digest).to.deep.equal(new Uint8Array(32))
  })
})
