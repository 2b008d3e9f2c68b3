import { expect } from 'chai'
import type { Catalogue } from '../../src/manager/catalogue.ts'

/** The sentences of the port about requests that were answered. */
export function testRequests(open: () => Promise<Catalogue>): void {
  it('keeps requests by their ids, each once, and forgets the oldest first', async () => {
    const catalogue = await open()
    const row = (requestId: string, timeMs: number) => ({ requestId, timeMs, digest: Buffer.from('d'), answer: '{}' })
    await catalogue.write(async (tx) => {
      for (const [id, timeMs] of [['c', 30] as const, ['a', 10] as const, ['b', 20] as const]) {
        await tx.requests.add(row(id, timeMs))
      }
    })
    const kept = (): Promise<string> =>
      catalogue.read(async (tx) => {
        const found = await Promise.all(['a', 'b', 'c'].map((id) => tx.requests.find(id)))
        return found.map((each) => each?.requestId ?? '-').join('')
      })
    const found = await catalogue.read((tx) => tx.requests.find('b'))
    expect({ ...found, digest: Buffer.from(found?.digest ?? []).toString() }).to.deep.equal({
      ...{ requestId: 'b', timeMs: 20, answer: '{}' },
      digest: 'd',
    })
    const again = await catalogue.write((tx) => tx.requests.add(row('a', 40))).catch(() => 'refused')
    expect(again).to.equal('refused')
    await catalogue.write((tx) => tx.requests.dropBefore(30, 1))
    expect(await kept()).to.equal('-bc')
    await catalogue.write((tx) => tx.requests.dropBefore(30, 5))
    expect(await kept()).to.equal('--c')
    await catalogue.close()
  })
}
