import { expect } from 'chai'
import { openSource } from '../../../src/cli/source-threads.ts'
import { SourceThreaded } from '../../../src/client/index.ts'
import { systemClock } from '../../../src/system/clock.ts'
import { expectThrow } from '../../support/expect-error.ts'

const open = (threads: string) => openSource({ clock: systemClock, environment: { TWOFOLD_THREADS: threads } })

describe('TWOFOLD_THREADS', () => {
  it('decides whether listing has a thread of its own', async () => {
    expect(open('1')).not.to.be.instanceOf(SourceThreaded)
    const source = open('2')
    expect(source).to.be.instanceOf(SourceThreaded)
    await (source as SourceThreaded).giveBackThreads()
  })

  it('must be a number', () => {
    for (const text of ['0', '-1', 'all', '1.5', '99999']) {
      expect(expectThrow(() => open(text), 'invalid-argument').message).to.contain(text)
    }
  })
})
