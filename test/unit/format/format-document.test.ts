import { expect } from 'chai'
import { createBLAKE3 } from 'hash-wasm'
import { readFile } from 'node:fs/promises'
import { crc32 } from 'node:zlib'
import { packOf, seal, verifyPack } from './sample-pack.ts'

/** The pack of the hex dump in `docs/format.md`. */
async function documentedPack(): Promise<Buffer> {
  const text = await readFile(new URL('../../../docs/format.md', import.meta.url), 'utf8')
  const lines = [...text.matchAll(/^[0-9a-f]{8} {2}((?:[0-9a-f]{2,4} ?)+)/gm)]
  return Buffer.from(lines.map((line) => line[1]!.replaceAll(' ', '')).join(''), 'hex')
}

describe('docs/format.md', () => {
  it('shows a pack as it is', async () => {
    const pack = await documentedPack()
    expect(pack.equals(packOf([await seal('data', Buffer.from('short'))]))).to.equal(true)
    expect(verifyPack(pack).entries.length).to.equal(1)
  })

  it('is enough to read one: footer, index, record, with nothing of the program', async () => {
    const pack = await documentedPack()
    const blake3 = await createBLAKE3()
    const hash = (bytes: Uint8Array) => blake3.init().update(bytes).digest()
    const footer = pack.subarray(-80)
    expect(footer.toString('latin1', 0, 4)).to.equal('TFPK')
    expect(footer.readUInt32LE(76)).to.equal(crc32(footer.subarray(0, 76)))
    expect(footer.readUInt32LE(20)).to.equal(pack.length)
    const index = pack.subarray(footer.readUInt32LE(12)).subarray(0, footer.readUInt32LE(16))
    expect(hash(index)).to.equal(footer.toString('hex', 40, 72))
    expect(index.toString('latin1', 0, 4)).to.equal('TFIX')
    expect(index.readUInt32LE(12)).to.equal(crc32(index.subarray(0, 12)))
    const entry = index.subarray(16, 64)
    const record = pack.subarray(entry.readUInt32LE(32)).subarray(0, entry.readUInt32LE(36))
    expect(record.readUInt32LE(124)).to.equal(crc32(record.subarray(0, 124)))
    const stored = record.subarray(128)
    expect(stored.length).to.equal(record.readUInt32LE(60))
    expect(hash(stored)).to.equal(record.toString('hex', 84, 116))
    expect(hash(stored)).to.equal(entry.toString('hex', 0, 32))
    expect(stored.toString()).to.equal('short')
  })
})
