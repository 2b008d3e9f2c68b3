import { expect } from 'chai'
import { fromHex } from '../../src/core/ids.ts'
import type { PackId } from '../../src/core/ids.ts'
import { blake3 } from '../../src/format/hash.ts'
import type { PackStore, StoredPack } from '../../src/node/pack-store.ts'
import { systemClock } from '../../src/system/clock.ts'
import { expectError } from '../support/expect-error.ts'
import { SeededRandom } from '../support/seeded-random.ts'

export interface PackStoreUnderTest {
  /** Opens the store as a process does when it starts, on what an earlier one left. It holds 100 MB by default. */
  open(capacityBytes?: number): Promise<PackStore>
  cleanup(): Promise<void>
}

export const packIdOf = (digit: string): PackId => digit.repeat(32) as PackId
const a = packIdOf('a')
const b = packIdOf('b')

/** Incompressible content; the same seed gives the same. */
export function contentOf(seed: number, length = 100_000): Uint8Array {
  return new SeededRandom(seed).bytes(length)
}

/** Writes and seals a pack. */
export async function put(
  store: PackStore,
  packId: PackId,
  content: Uint8Array,
  { generation = 1, sliceBytes = 30_000 }: { generation?: number; sliceBytes?: number } = {},
): Promise<StoredPack> {
  const draft = await store.begin(packId, generation, content.length)
  try {
    for (let at = 0; at < content.length; at += sliceBytes) await draft.append(content.subarray(at, at + sliceBytes))
    return await draft.seal()
  } finally {
    await draft.close()
  }
}

/** The whole content of a pack. */
export async function contentIn(store: PackStore, packId: PackId): Promise<Buffer> {
  const reader = await store.open(packId)
  try {
    const bytes = Buffer.alloc(reader.pack.lengthBytes + 10)
    return bytes.subarray(0, await reader.read(bytes, 0))
  } finally {
    await reader.close()
  }
}

const everything = { generationMax: Number.MAX_SAFE_INTEGER }

/** The sentences of the `PackStore` port, tried on a driver. What a crash leaves is tried where crashes can be made. */
export function packStoreContract(name: string, factory: () => Promise<PackStoreUnderTest>): void {
  describe(`PackStore: ${name}`, () => {
    let under: PackStoreUnderTest
    let store: PackStore
    const opened: PackStore[] = []
    const open = async (capacityBytes?: number): Promise<PackStore> => {
      const one = await under.open(capacityBytes)
      opened.push(one)
      return one
    }
    const reopen = async (): Promise<PackStore> => (store = await open())
    beforeEach(async () => {
      under = await factory()
      await reopen()
    })
    afterEach(async () => {
      for (const one of opened.splice(0)) await one.close()
      await under.cleanup()
    })
    drafts(() => store, reopen)
    packs(() => store, reopen)
    removals(() => store, reopen)
    quarantines(() => store, reopen)
    proofs(() => store, reopen)
    sequences(() => store, reopen)
    sums(() => store, { reopen, open })
  })
}

type Store = () => PackStore
type Reopen = () => Promise<PackStore>

function drafts(store: Store, reopen: Reopen): void {
  it('shows nothing of a pack before it is sealed, and all of it then', async () => {
    const content = contentOf(1)
    const draft = await store().begin(a, 1, content.length)
    await draft.append(content)
    expect(store().stat(a)).to.equal(undefined)
    expect([...store().list()]).to.deep.equal([])
    await expectError(store().open(a), 'not-found')
    const sealed = await draft.seal()
    await draft.close()
    expect(sealed).to.include({ packId: a, lengthBytes: content.length, provenAtMs: 0, generation: 1 })
    expect(store().stat(a)).to.deep.equal(sealed)
    expect([...store().list()]).to.deep.equal([sealed])
    expect((await contentIn(store(), a)).equals(content)).to.equal(true)
  })

  it('reads back what was appended to a draft, until it is closed', async () => {
    const content = contentOf(1)
    const target = Buffer.alloc(40_000)
    const draft = await store().begin(a, 1, content.length)
    await draft.append(content.subarray(0, 60_000))
    expect(await draft.read(target, 10_000)).to.equal(40_000)
    expect(target.equals(content.subarray(10_000, 50_000))).to.equal(true)
    expect(await draft.read(target, 50_000)).to.equal(10_000)
    await draft.append(content.subarray(60_000))
    await draft.seal()
    expect(await draft.read(target, 60_000)).to.equal(40_000)
    expect(target.equals(content.subarray(60_000))).to.equal(true)
    await draft.close()
  })

  it('lets the memory of an append be reused', async () => {
    const draft = await store().begin(a, 1, 3000)
    const memory = new Uint8Array(1000)
    for (let turn = 1; turn <= 3; turn++) await draft.append(memory.fill(turn))
    await draft.seal()
    await draft.close()
    const content = await contentIn(store(), a)
    expect([content[999], content[1000], content[2999]]).to.deep.equal([1, 2, 3])
  })

  it('takes as many bytes as announced, not more and not fewer', async () => {
    const draft = await store().begin(a, 1, 1000)
    await draft.append(new Uint8Array(600))
    await expectError(draft.append(new Uint8Array(401)), 'invalid-argument')
    await expectError(draft.seal(), 'invalid-argument')
    expect(store().stat(a)).to.equal(undefined)
    await draft.append(new Uint8Array(400))
    await draft.seal()
    await draft.close()
    expect(store().stat(a)?.lengthBytes).to.equal(1000)
  })

  it('leaves nothing of a draft that is closed before it is sealed', async () => {
    const before = await store().usage()
    for (let turn = 0; turn < 3; turn++) {
      const draft = await store().begin(a, 1, 100_000)
      await draft.append(new Uint8Array(50_000))
      expect((await store().usage()).freeBytes).to.equal(before.freeBytes - 100_000)
      await draft.close()
      await draft.close()
      expect(store().stat(a)).to.equal(undefined)
      // The disk may be another's too, but the capacity is smaller than that.
      expect(await store().usage()).to.deep.equal(before)
    }
    expect(store().problem).to.equal('')
  })

  it('has one draft at a time of a pack and generation', async () => {
    const draft = await store().begin(a, 1, 1000)
    await expectError(store().begin(a, 1, 1000), 'already-exists')
    const newer = await store().begin(a, 2, 1000)
    const other = await store().begin(b, 1, 1000)
    await draft.close()
    await newer.append(new Uint8Array(1000))
    await newer.seal()
    await newer.close()
    await other.close()
    await (await store().begin(b, 1, 1000)).close()
    expect([...store().list()].map((pack) => pack.packId)).to.deep.equal([a])
  })

  it('has nothing of a draft after a restart in the middle of it', async () => {
    const draft = await store().begin(a, 1, 100_000)
    await draft.append(new Uint8Array(100_000))
    await reopen()
    expect([...store().list()]).to.deep.equal([])
    expect(await store().usage()).to.include({ usedBytes: 0, packs: 0 })
    await put(store(), a, contentOf(2))
    expect((await contentIn(store(), a)).equals(contentOf(2))).to.equal(true)
    await draft.close()
  })
}

function packs(store: Store, reopen: Reopen): void {
  it('reads any range, and fewer bytes only at the end', async () => {
    const content = contentOf(3)
    await put(store(), a, content)
    const reader = await store().open(a)
    const read = async (offset: number, length: number): Promise<Buffer> => {
      const target = Buffer.alloc(length)
      return target.subarray(0, await reader.read(target, offset))
    }
    for (const [offset, length] of [
      [0, 1],
      [0, 100_000],
      [99_999, 1],
      [12_345, 54_321],
    ] as const) {
      expect((await read(offset, length)).equals(content.subarray(offset, offset + length))).to.equal(true)
    }
    expect((await read(99_000, 2000)).equals(content.subarray(99_000))).to.equal(true)
    for (const offset of [100_000, 100_001, 1e9]) expect(await read(offset, 10)).to.have.length(0)
    expect(reader.pack).to.deep.equal(store().stat(a))
    await reader.close()
  })

  it('calls a pack that it does not have `not-found`', async () => {
    await put(store(), a, contentOf(1))
    await expectError(store().open(b), 'not-found')
    expect(store().stat(b)).to.equal(undefined)
  })

  it('still has everything after a restart', async () => {
    const first = await put(store(), a, contentOf(1))
    const second = await put(store(), b, contentOf(2), { generation: 3 })
    await reopen()
    expect(store().stat(a)).to.deep.equal(first)
    expect(store().stat(b)).to.deep.equal(second)
    expect((await contentIn(store(), a)).equals(contentOf(1))).to.equal(true)
    expect((await contentIn(store(), b)).equals(contentOf(2))).to.equal(true)
  })

  it('takes a pack that is sealed again as a new put in the place of the old one', async () => {
    const first = await put(store(), a, contentOf(1))
    const reader = await store().open(a)
    const second = await put(store(), a, contentOf(2, 5000), { generation: 2 })
    expect(second.putSequence).to.be.greaterThan(first.putSequence)
    expect([...store().list()]).to.deep.equal([second])
    expect(await store().usage()).to.include({ usedBytes: 5000, packs: 1 })
    expect((await contentIn(store(), a)).equals(contentOf(2, 5000))).to.equal(true)
    const old = Buffer.alloc(100_000)
    await reader.read(old, 0)
    await reader.close()
    expect(old.equals(contentOf(1))).to.equal(true)
    await reopen()
    expect([...store().list()]).to.deep.equal([second])
    expect((await contentIn(store(), a)).equals(contentOf(2, 5000))).to.equal(true)
  })

  it('writes several packs at once', async () => {
    const digits = [...'0123456789abcdef']
    await Promise.all(digits.map((digit, seed) => put(store(), packIdOf(digit), contentOf(seed, 20_000))))
    for (const [seed, digit] of digits.entries()) {
      expect((await contentIn(store(), packIdOf(digit))).equals(contentOf(seed, 20_000))).to.equal(true)
    }
    const given = [...store().list()].map((pack) => pack.putSequence)
    expect(new Set(given).size).to.equal(digits.length)
  })

  it('takes note of proofs', async () => {
    const sealed = await put(store(), a, contentOf(1))
    const before = await store().usage()
    store().markProven(a, sealed.putSequence, 77)
    store().markProven(b, sealed.putSequence, 77)
    store().markProven(a, sealed.putSequence + 1, 99)
    expect(store().stat(a)).to.deep.equal({ ...sealed, provenAtMs: 77 })
    expect(store().stat(b)).to.equal(undefined)
    expect(await store().usage()).to.deep.equal(before)
  })
}

function removals(store: Store, reopen: Reopen): void {
  it('removes a pack, for good', async () => {
    const { putSequence } = await put(store(), a, contentOf(1))
    await put(store(), b, contentOf(2))
    expect(await store().remove(a, { putSequenceMax: putSequence })).to.equal(true)
    expect(store().stat(a)).to.equal(undefined)
    await expectError(store().open(a), 'not-found')
    await reopen()
    expect([...store().list()].map((pack) => pack.packId)).to.deep.equal([b])
  })

  it('removes what is not there without a word', async () => {
    expect(await store().remove(a, everything)).to.equal(true)
    await put(store(), a, contentOf(1))
    expect(await store().remove(a, everything)).to.equal(true)
    expect(await store().remove(a, everything)).to.equal(true)
  })

  it('keeps a put that is newer than what is to be removed', async () => {
    const old = await put(store(), a, contentOf(1))
    const { putSequence } = await put(store(), a, contentOf(1), { generation: 2 })
    expect(await store().remove(a, { putSequenceMax: old.putSequence })).to.equal(false)
    expect(await store().remove(a, { putSequenceMax: 0 })).to.equal(false)
    expect(await store().remove(a, { generationMax: 1 })).to.equal(false)
    await reopen()
    expect(await store().remove(a, { generationMax: 1 })).to.equal(false)
    expect(store().stat(a)).to.include({ putSequence, generation: 2 })
    expect((await contentIn(store(), a)).equals(contentOf(1))).to.equal(true)
    expect(await store().remove(a, { generationMax: 2 })).to.equal(true)
    expect(store().stat(a)).to.equal(undefined)
  })

  it('lets a pack be read to its end that is removed meanwhile', async () => {
    await put(store(), a, contentOf(1))
    const reader = await store().open(a)
    await store().remove(a, everything)
    const target = Buffer.alloc(100_000)
    expect(await reader.read(target, 0)).to.equal(100_000)
    expect(target.equals(contentOf(1))).to.equal(true)
    await reader.close()
  })

  it('removes once what is removed twice at the same time', async () => {
    await put(store(), a, contentOf(1))
    await put(store(), b, contentOf(2))
    expect(await Promise.all([store().remove(a, everything), store().remove(a, everything)])).to.deep.equal([
      true,
      true,
    ])
    expect(await store().usage()).to.include({ usedBytes: 100_000, packs: 1 })
    expect(store().problem).to.equal('')
  })
}

const finding = { problem: 'a hash does not match', foundAtMs: 123 }

function quarantines(store: Store, reopen: Reopen): void {
  const aside = (): number[][] =>
    [...store().quarantined()].map(({ putSequence, lengthBytes }) => [putSequence, lengthBytes])

  it('neither serves, lists nor counts what is put aside, but its bytes are used', async () => {
    const bad = await put(store(), a, contentOf(1))
    const good = await put(store(), b, contentOf(2, 5000))
    expect(await store().quarantine(a, bad.putSequence, finding)).to.equal(true)
    for (const found of [finding, undefined]) {
      expect(store().stat(a)).to.equal(undefined)
      await expectError(store().open(a), 'integrity')
      expect([...store().list()]).to.deep.equal([good])
      expect(store().inventory().packs).to.deep.equal([good])
      const usage = await store().usage()
      expect(usage).to.include({ packs: 1, usedBytes: 105_000, freeBytes: 1e8 - 105_000 })
      expect(Buffer.from(usage.inventoryDigest).toString('hex')).to.equal(digestOf([good]))
      const [copy, ...rest] = store().quarantined()
      const { packId, generation, putSequence } = bad
      expect(copy).to.include({ packId, generation, putSequence, lengthBytes: 100_000, ...found })
      expect(rest).to.deep.equal([])
      await reopen()
    }
  })

  it('puts nothing aside but the put that is named', async () => {
    const { putSequence } = await put(store(), a, contentOf(1))
    expect(await store().quarantine(a, putSequence + 1, finding)).to.equal(false)
    expect(await store().quarantine(b, putSequence, finding)).to.equal(false)
    expect(store().stat(a)).not.to.equal(undefined)
    expect(aside()).to.deep.equal([])
    const both = [store().quarantine(a, putSequence, finding), store().quarantine(a, putSequence, finding)]
    expect(await Promise.all(both)).to.deep.equal([true, true])
    expect(aside()).to.deep.equal([[putSequence, 100_000]])
  })

  it('takes a new put of a pack of which one is aside, and gives no number again', async () => {
    const first = await put(store(), a, contentOf(1))
    await store().quarantine(a, first.putSequence, finding)
    await reopen()
    const second = await put(store(), a, contentOf(1, 7000))
    expect(second.putSequence).to.be.greaterThan(first.putSequence)
    expect((await contentIn(store(), a)).equals(contentOf(1, 7000))).to.equal(true)
    await store().quarantine(a, second.putSequence, finding)
    await reopen()
    expect(aside()).to.deep.equal([
      [first.putSequence, 100_000],
      [second.putSequence, 7000],
    ])
  })

  it('discards what is aside, for good, and never what is served', async () => {
    const bad = await put(store(), a, contentOf(1))
    await store().quarantine(a, bad.putSequence, finding)
    const good = await put(store(), a, contentOf(2, 5000))
    await store().discard(a, good.putSequence)
    await store().discard(b, bad.putSequence)
    expect(aside()).to.have.length(1)
    await store().discard(a, bad.putSequence)
    await store().discard(a, bad.putSequence)
    for (let life = 0; life < 2; life++) {
      expect(aside()).to.deep.equal([])
      expect(await store().usage()).to.include({ usedBytes: 5000, packs: 1 })
      expect((await contentIn(store(), a)).equals(contentOf(2, 5000))).to.equal(true)
      await reopen()
    }
  })

  it('removes what is aside with the pack, as far as the order goes', async () => {
    const numbers: number[] = []
    for (const generation of [1, 2]) {
      const { putSequence } = await put(store(), a, contentOf(1, 1000), { generation })
      await store().quarantine(a, putSequence, finding)
      numbers.push(putSequence)
    }
    const served = await put(store(), a, contentOf(1, 1000), { generation: 3 })
    expect(await store().remove(a, { generationMax: 1 })).to.equal(false)
    expect(aside()).to.deep.equal([[numbers[1], 1000]])
    expect(await store().remove(a, { putSequenceMax: served.putSequence })).to.equal(true)
    expect(aside()).to.deep.equal([])
    await reopen()
    expect(await store().usage()).to.include({ usedBytes: 0, packs: 0 })
  })

  it('lets a pack be read to its end that is put aside meanwhile', async () => {
    const { putSequence } = await put(store(), a, contentOf(1))
    const reader = await store().open(a)
    await store().quarantine(a, putSequence, finding)
    const target = Buffer.alloc(100_000)
    expect(await reader.read(target, 0)).to.equal(100_000)
    await reader.close()
  })
}

function proofs(store: Store, reopen: Reopen): void {
  it('remembers over a restart when packs were proven, once that was saved', async () => {
    const first = await put(store(), a, contentOf(1, 1000))
    const second = await put(store(), b, contentOf(2, 1000))
    for (let life = 1; life <= 3; life++) {
      store().markProven(a, first.putSequence, life * 100)
      await store().saveProofs()
      store().markProven(a, first.putSequence, life * 100 + 1)
      await store().saveProofs()
      await store().saveProofs()
      await reopen()
      expect(store().stat(a)?.provenAtMs).to.equal(life * 100 + 1)
      expect(store().stat(b)).to.deep.equal(second)
    }
  })

  it('remembers what is proven after it was closed as well, and may be closed twice', async () => {
    const { putSequence } = await put(store(), a, contentOf(1, 1000))
    for (const provenAtMs of [100, 200]) {
      store().markProven(a, putSequence, provenAtMs)
      await store().saveProofs()
      await store().close()
      await store().close()
    }
    await reopen()
    expect(store().stat(a)?.provenAtMs).to.equal(200)
  })

  it('takes no proof of an older put for one of a newer', async () => {
    const first = await put(store(), a, contentOf(1, 1000))
    store().markProven(a, first.putSequence, 100)
    await store().saveProofs()
    await put(store(), a, contentOf(2, 1000))
    expect(store().stat(a)?.provenAtMs).to.equal(0)
    await reopen()
    expect(store().stat(a)?.provenAtMs).to.equal(0)
  })
}

function sequences(store: Store, reopen: Reopen): void {
  it('gives numbers to puts that grow and never come again', async () => {
    let last = 0
    for (let life = 0; life < 4; life++) {
      for (let turn = 0; turn < 3; turn++) {
        const { putSequence } = await put(store(), turn === 0 ? a : b, contentOf(turn, 1000))
        expect(putSequence).to.be.greaterThan(last)
        last = putSequence
        // The newest one leaves no trace in the packs.
        if (turn === 2) await store().remove(b, everything)
      }
      expect((await store().usage()).putSequence).to.be.at.least(last)
      await reopen()
      expect((await store().usage()).putSequence).to.be.at.least(last)
    }
  })

  it('says up to which number its list is complete', async () => {
    const { putSequence } = await put(store(), a, contentOf(1, 1000))
    expect(store().inventory()).to.deep.equal({ packs: [store().stat(a)], asOfPutSequence: putSequence })
    // While puts are on their way, whatever is on the list or below its number must not be missing from it.
    const running = ['b', 'c', 'd', 'e'].map((digit) => put(store(), packIdOf(digit), contentOf(2, 1000)))
    let waiting = true
    const end = Promise.all(running).finally(() => (waiting = false))
    const seen: { asOf: number; listed: Set<number> }[] = []
    while (waiting) {
      const { packs, asOfPutSequence } = store().inventory()
      seen.push({ asOf: asOfPutSequence, listed: new Set(packs.map((pack) => pack.putSequence)) })
      await (seen.length % 100 === 0 ? systemClock.yield() : Promise.resolve())
    }
    const given = (await end).map((pack) => pack.putSequence)
    for (const { asOf, listed } of seen) {
      for (const number of given) if (number <= asOf) expect(listed.has(number), `${number}/${asOf}`).to.equal(true)
    }
    expect(store().inventory().asOfPutSequence).to.equal(Math.max(...given))
  })

  it('goes on above a number that it is told, also after a restart', async () => {
    await put(store(), a, contentOf(1, 1000))
    await store().skipTo(70_000)
    await store().skipTo(5)
    await reopen()
    expect((await store().usage()).putSequence).to.be.at.least(70_000)
    expect((await put(store(), b, contentOf(1, 1000))).putSequence).to.be.greaterThan(70_000)
  })

  it('has given none before the first put', async () => {
    expect((await store().usage()).putSequence).to.equal(0)
    await (await store().begin(a, 1, 1000)).close()
    expect((await store().usage()).putSequence).to.equal(0)
  })
}

function digestOf(all: readonly StoredPack[]): string {
  const sum = Buffer.alloc(32)
  for (const { packId, putSequence } of all) {
    const number = Buffer.alloc(8)
    number.writeBigUInt64LE(BigInt(putSequence))
    blake3(Buffer.concat([fromHex(packId), number])).forEach((byte, index) => (sum[index]! ^= byte))
  }
  return sum.toString('hex')
}

function sums(
  store: Store,
  { reopen, open }: { reopen: Reopen; open: (capacity: number) => Promise<PackStore> },
): void {
  it('knows how many packs it has, their bytes, and the digest of their puts', async () => {
    expect(await store().usage()).to.deep.include({ usedBytes: 0, packs: 0, inventoryDigest: new Uint8Array(32) })
    const first = await put(store(), a, contentOf(1, 7000))
    const second = await put(store(), b, contentOf(2, 11_000))
    const usage = await store().usage()
    expect(usage).to.include({ usedBytes: 18_000, packs: 2, capacityBytes: 1e8, freeBytes: 1e8 - 18_000 })
    expect(Buffer.from(usage.inventoryDigest).toString('hex')).to.equal(digestOf([first, second]))
    const { inventoryDigest } = await (await reopen()).usage()
    expect(Buffer.from(inventoryDigest).toString('hex')).to.equal(digestOf([second, first]))
    await store().remove(a, everything)
    const after = await store().usage()
    expect(after).to.include({ usedBytes: 11_000, packs: 1, freeBytes: 1e8 - 11_000 })
    expect(Buffer.from(after.inventoryDigest).toString('hex')).to.equal(digestOf([second]))
  })

  it('refuses a pack for which there is no room, counting those that are being written', async () => {
    const small = await open(250_000)
    await put(small, a, contentOf(1))
    const draft = await small.begin(b, 1, 100_000)
    await expectError(small.begin(b, 2, 50_001), 'no-room')
    await (await small.begin(b, 2, 50_000)).close()
    await draft.close()
    await put(small, b, contentOf(2, 150_000))
    await expectError(small.begin(packIdOf('c'), 1, 1), 'no-room')
    expect(small.problem).to.equal('')
    await small.remove(a, everything)
    await put(small, packIdOf('c'), contentOf(3))
    expect((await small.usage()).freeBytes).to.equal(0)
  })

  it('keeps what it has when its capacity shrinks below that', async () => {
    await put(store(), a, contentOf(1))
    const shrunk = await open(1)
    expect(await shrunk.usage()).to.include({ usedBytes: 100_000, freeBytes: 0, capacityBytes: 1 })
    expect((await contentIn(shrunk, a)).equals(contentOf(1))).to.equal(true)
    await expectError(shrunk.begin(b, 1, 1), 'no-room')
  })
}
