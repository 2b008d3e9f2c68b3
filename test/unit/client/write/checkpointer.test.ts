import { expect } from 'chai'
import { Checkpointer } from '../../../../src/client/checkpointer.ts'
import type { CheckpointerDeps } from '../../../../src/client/checkpointer.ts'
import { GracefulStop } from '../../../../src/client/graceful-stop.ts'
import { RunScope } from '../../../../src/client/run-scope.ts'
import { TwofoldError } from '../../../../src/core/errors.ts'
import type { ErrorCode } from '../../../../src/core/errors.ts'
import { checkpointGraceMs, checkpointPauseFactor, checkpointRetryMs } from '../../../../src/core/limits.ts'
import { chunkIdBytes } from '../../../../src/core/ids.ts'
import type { ChunkId } from '../../../../src/core/ids.ts'
import { silentLogger } from '../../../../src/core/logger.ts'
import { expectError } from '../../../support/expect-error.ts'
import { VirtualClock } from '../../../support/virtual-clock.ts'

const tree = new Uint8Array(chunkIdBytes) as ChunkId

describe('the rhythm of checkpoints', () => {
  let clock: VirtualClock
  let asking: AbortController
  let stop: GracefulStop
  let saves: number

  beforeEach(() => {
    clock = new VirtualClock()
    asking = new AbortController()
    stop = new GracefulStop(clock, asking.signal)
    saves = 0
  })
  afterEach(() => stop.close())

  function create(more: Partial<CheckpointerDeps> = {}, tookMs = 0): Checkpointer {
    const save = async (): Promise<void> => {
      saves += 1
      clock.advance(tookMs)
    }
    const scope = new RunScope(stop.signal)
    const rest = { store: async () => tree, save, onSavedAtStop: () => undefined, intervalMs: 1000, chosen: false }
    return new Checkpointer({ clock, logger: silentLogger, scope, stop, ...rest, ...more })
  }

  /** How long it is until the next one is due. */
  function pauseMs(checkpointer: Checkpointer): number {
    for (let ms = 0; ms < 1_000_000; ms += 100, clock.advance(100)) if (checkpointer.due) return ms
    throw new Error('it is never due')
  }

  it('comes once an interval', async () => {
    const checkpointer = create()
    expect(pauseMs(checkpointer)).to.equal(1000)
    await checkpointer.run()
    expect(pauseMs(checkpointer)).to.equal(1000)
  })

  it('takes at most a twentieth of the time, unless somebody chose the interval', async () => {
    const slow = create({}, 700)
    await slow.run()
    expect(pauseMs(slow)).to.equal(700 * checkpointPauseFactor)
    const chosen = create({ chosen: true }, 700)
    await chosen.run()
    expect(pauseMs(chosen)).to.equal(1000)
  })

  it('tries again soon after one that could not be saved, and ends only for what ends the backup', async () => {
    const failing = (code: ErrorCode): Checkpointer => {
      const save = (): Promise<void> => Promise.reject(new TwofoldError(code, 'not now'))
      return create({ save, intervalMs: 300_000 })
    }
    for (const code of ['overloaded', 'unavailable', 'missing-chunks', 'unsupported'] as const) {
      const checkpointer = failing(code)
      await checkpointer.run()
      expect(pauseMs(checkpointer), code).to.equal(checkpointRetryMs)
    }
    await expectError(failing('session-ended').run(), 'session-ended')
  })

  it('comes at once when a stop is asked for, and no more after that', async () => {
    stop.hold()
    const checkpointer = create()
    expect(checkpointer.due).to.equal(false)
    asking.abort()
    expect(checkpointer.due).to.equal(true)
    await expectError(checkpointer.run(), 'cancelled')
    await checkpointer.leave()
    expect(saves).to.equal(1)
    expect(stop.signal.aborted).to.equal(false)
  })

  it('ends at once when there is nothing to be saved, and after some seconds if there is', async () => {
    const now = new AbortController()
    const idle = new GracefulStop(clock, now.signal)
    now.abort()
    expect(idle.signal.aborted).to.equal(true)
    idle.close()
    stop.hold()
    asking.abort()
    clock.advance(checkpointGraceMs - 1)
    await clock.yield()
    expect(stop.signal.aborted).to.equal(false)
    clock.advance(1)
    await new Promise<void>((resolve) => setImmediate(resolve))
    expect(stop.signal.aborted).to.equal(true)
  })

  it('ends at once when what was to be saved is saved by then', () => {
    stop.hold()
    asking.abort()
    stop.release()
    expect(stop.signal.aborted).to.equal(true)
    expect(new GracefulStop(clock, asking.signal).signal.aborted, 'asked before it began').to.equal(true)
  })
})
