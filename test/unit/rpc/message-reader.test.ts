import { Readable } from 'node:stream'
import { expect } from 'chai'
import { IdleWatch } from '../../../src/rpc/idle-watch.ts'
import { Interrupter } from '../../../src/rpc/interrupter.ts'
import { readAheadMessages, readMessages } from '../../../src/rpc/message-reader.ts'
import { systemClock } from '../../../src/system/clock.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

/** A stream of numbers that counts how many were asked of it. */
class Numbers extends Readable {
  given = 0
  readonly #count: number

  constructor(count: number) {
    super({ objectMode: true })
    this.#count = count
  }

  override _read(): void {
    if (this.given === this.#count) this.push(null)
    else this.push((this.given += 1))
  }
}

describe('readMessages', () => {
  let turn: Interrupter
  let watch: IdleWatch
  beforeEach(() => {
    turn = new Interrupter()
    watch = new IdleWatch({ clock: new VirtualClock(), idleMs: 1000, onIdle: () => turn.interrupt(new Error('idle')) })
  })
  afterEach(() => watch.stop())

  it('reads everything in order', async () => {
    const seen = await Array.fromAsync(readMessages<number>({ stream: new Numbers(100), turn, watch }))
    expect(seen).to.deep.equal(Array.from({ length: 100 }, (_, index) => index + 1))
  })

  it('reads no further ahead than it says', async () => {
    const stream = new Numbers(100)
    const messages = readMessages<number>({ stream, turn, watch })
    expect(stream.given).to.equal(0)
    for (let read = 1; read < 10; read++) {
      await messages.next()
      for (let wait = 0; wait < 5; wait++) await systemClock.yield()
      expect(stream.readableHighWaterMark).to.equal(readAheadMessages)
      expect(stream.given).to.be.within(read, read + readAheadMessages)
    }
    await messages.return(undefined)
    expect(stream.listenerCount('readable')).to.equal(0)
  })

  it('asks before it believes the end', async () => {
    let asked = 0
    const confirmEnd = (): Promise<void> => {
      asked += 1
      return Promise.reject(new Error('it was cancelled'))
    }
    const seen: number[] = []
    const work = async (): Promise<void> => {
      for await (const value of readMessages<number>({ stream: new Numbers(2), turn, watch, confirmEnd }))
        seen.push(value)
    }
    const error = await work().catch((thrown: unknown) => thrown)
    expect(error).to.have.property('message', 'it was cancelled')
    expect([asked, seen]).to.deep.equal([1, [1, 2]])
  })

  it('ends at once when it is interrupted, with messages in hand', async () => {
    const messages = readMessages<number>({ stream: new Numbers(100), turn, watch })
    await messages.next()
    turn.interrupt(new Error('enough'))
    expect(await messages.next().catch((thrown: unknown) => thrown)).to.have.property('message', 'enough')
  })
})
