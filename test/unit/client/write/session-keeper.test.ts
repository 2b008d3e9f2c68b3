import { expect } from 'chai'
import { SessionKeeper } from '../../../../src/client/session-keeper.ts'
import type { ManagerApi } from '../../../../src/client/manager-api.ts'
import { TwofoldError } from '../../../../src/core/errors.ts'
import type { SessionId } from '../../../../src/core/ids.ts'
import type { Session } from '../../../../src/core/messages.ts'
import { systemClock } from '../../../../src/system/clock.ts'
import { SeededRandom } from '../../../support/seeded-random.ts'
import { VirtualClock } from '../../../support/virtual-clock.ts'

describe('keeper of a session', () => {
  let clock: VirtualClock
  let renewals: number
  let lost: TwofoldError[]
  let answer: () => Promise<number>
  let keeper: SessionKeeper
  beforeEach(() => {
    clock = new VirtualClock()
    renewals = 0
    lost = []
    answer = () => Promise.resolve(60_000)
    const renewSession = (): Promise<number> => {
      renewals += 1
      return answer()
    }
    const manager = { renewSession } as unknown as ManagerApi
    const session: Session = {
      ...{ sessionId: 'a'.repeat(32) as SessionId, sessionToken: '', leaseMs: 60_000, parent: undefined },
      ...{ vaultId: new Uint8Array(16), vaultEmpty: true, vault: 'default' },
    }
    keeper = new SessionKeeper({ manager, clock, random: new SeededRandom(1) }, session, (error) => lost.push(error))
    keeper.start()
  })
  afterEach(() => keeper.stop())

  const pass = async (ms: number): Promise<void> => {
    clock.advance(ms)
    for (let turn = 0; turn < 5; turn++) await systemClock.yield()
  }
  const over = (): Promise<never> => Promise.reject(new TwofoldError('session-ended', 'it has committed its snapshot'))

  it('renews it at a third of its lease', async () => {
    await pass(19_999)
    expect(renewals).to.equal(0)
    await pass(1)
    expect(renewals).to.equal(1)
    await pass(20_000)
    expect(renewals).to.equal(2)
    expect(lost).to.deep.equal([])
  })

  it('says so once when it is lost', async () => {
    answer = over
    await pass(20_000)
    await pass(20_000)
    expect(lost.map((error) => error.code)).to.deep.equal(['session-ended'])
  })

  it('leaves it to the commit to say how the session ended', async () => {
    keeper.committing()
    await pass(20_000)
    expect(renewals, 'a long commit needs the lease').to.equal(1)
    answer = over
    await pass(20_000)
    expect(renewals).to.equal(2)
    expect(lost).to.deep.equal([])
  })
})
