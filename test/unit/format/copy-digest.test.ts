import { expect } from 'chai'
import type { PackId } from '../../../src/core/ids.ts'
import { copyDigestBytes, toggleCopy } from '../../../src/format/copy-digest.ts'
import { Inventory } from '../../../src/node/inventory.ts'
import { hex } from '../../support/catalogue-rows.ts'

describe('the digest of copies', () => {
  it('is what a node reports of the same packs, in whatever order they came and went', () => {
    const inventory = new Inventory()
    let digest: Uint8Array = new Uint8Array(copyDigestBytes)
    const pack = (n: number) => ({ packId: hex(n) as PackId, putSequence: 2 ** 40 + n })
    for (const n of [3, 1, 2]) {
      inventory.put({ ...pack(n), lengthBytes: 1, generation: 1, provenAtMs: 0 })
      digest = toggleCopy(digest, pack(n).packId, pack(n).putSequence)
    }
    expect(Buffer.from(digest)).to.deep.equal(Buffer.from(inventory.digest))
    inventory.delete(pack(1).packId)
    digest = toggleCopy(digest, pack(1).packId, pack(1).putSequence)
    expect(Buffer.from(digest)).to.deep.equal(Buffer.from(inventory.digest))
  })
})
