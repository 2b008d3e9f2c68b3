import { expect } from 'chai'
import { Channel } from '../../../src/core/channel.ts'
import { systemClock } from '../../../src/system/clock.ts'

const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 3; turn++) await systemClock.yield()
}

describe('Channel', () => {
  it('brings items in order, and ends', async () => {
    const channel = new Channel<number>(2)
    const consumed = Array.fromAsync(channel)
    for (const item of [1, 2, 3, 4, 5]) expect(await channel.push(item)).to.equal(true)
    channel.end()
    expect(await consumed).to.deep.equal([1, 2, 3, 4, 5])
  })

  it('makes the producer wait while it is full', async () => {
    const channel = new Channel<number>(2)
    expect(await channel.push(1)).to.equal(true)
    let pushed = false
    void channel.push(2).then(() => (pushed = true))
    await settle()
    expect(pushed).to.equal(false)
    const items = channel[Symbol.asyncIterator]()
    expect((await items.next()).value).to.equal(1)
    await settle()
    expect(pushed).to.equal(true)
  })

  it('tells the producer when the consumer has gone', async () => {
    const channel = new Channel<number>(1)
    const waiting = channel.push(1)
    for await (const item of channel) {
      expect(item).to.equal(1)
      break
    }
    await waiting
    expect(await channel.push(2)).to.equal(false)
  })

  it('wakes a producer that waits when the consumer goes', async () => {
    const channel = new Channel<number>(1)
    const items = channel[Symbol.asyncIterator]()
    const first = channel.push(1)
    await items.next()
    await first
    const second = channel.push(2)
    await items.return(undefined)
    expect(await second).to.equal(false)
  })

  it('brings a failure of the producer to the consumer at once', async () => {
    const channel = new Channel<number>(5)
    const items = channel[Symbol.asyncIterator]()
    await channel.push(1)
    channel.fail(new Error('the disk failed'))
    expect(await items.next().catch((thrown: unknown) => thrown)).to.have.property('message', 'the disk failed')
  })

  it('wakes a consumer that waits, with the end or the failure', async () => {
    const ending = new Channel<number>(1)
    const end = ending[Symbol.asyncIterator]().next()
    await settle()
    ending.end()
    expect(await end).to.deep.equal({ value: undefined, done: true })

    const failing = new Channel<number>(1)
    const failure = failing[Symbol.asyncIterator]().next()
    await settle()
    failing.fail(new Error('x'))
    expect(await failure.catch((thrown: unknown) => thrown)).to.have.property('message', 'x')
  })

  it('wakes a producer that waits when it has failed elsewhere', async () => {
    const channel = new Channel<number>(1)
    const waiting = channel.push(1)
    channel.fail(new Error('x'))
    await waiting
  })

  it('brings an item that is undefined or null', async () => {
    const channel = new Channel<number | undefined | null>(5)
    await channel.push(undefined)
    await channel.push(null)
    await channel.push(1)
    channel.end()
    expect(await Array.fromAsync(channel)).to.deep.equal([undefined, null, 1])
  })
})
