import { expect } from 'chai'
import { Semaphore } from '../../../src/core/semaphore.ts'
import { systemClock } from '../../../src/system/clock.ts'

describe('Semaphore', () => {
  it('lets no more in than it has permits', async () => {
    const semaphore = new Semaphore(3)
    let inside = 0
    let most = 0
    const work = async (): Promise<void> => {
      inside += 1
      most = Math.max(most, inside)
      await systemClock.yield()
      inside -= 1
    }
    await Promise.all(Array.from({ length: 20 }, () => semaphore.run(work)))
    expect([most, inside, semaphore.waiting]).to.deep.equal([3, 0, 0])
  })

  it('serves those who wait in their order', async () => {
    const semaphore = new Semaphore(1)
    await semaphore.acquire()
    const order: number[] = []
    const waiting = [1, 2, 3].map(async (number) => {
      await semaphore.acquire()
      order.push(number)
      semaphore.release()
    })
    semaphore.release()
    await Promise.all(waiting)
    expect(order).to.deep.equal([1, 2, 3])
  })

  it('gives the permit back when the work fails', async () => {
    const semaphore = new Semaphore(1)
    await semaphore.run(() => Promise.reject(new Error('x'))).catch(() => undefined)
    expect(semaphore.tryAcquire()).to.equal(true)
    expect(semaphore.tryAcquire()).to.equal(false)
  })

  it('lets one who waits give up, without losing the permit', async () => {
    const semaphore = new Semaphore(1)
    await semaphore.acquire()
    const controller = new AbortController()
    const impatient = semaphore.acquire(controller.signal)
    const patient = semaphore.acquire()
    controller.abort(new Error('enough'))
    expect(await impatient.catch((thrown: unknown) => thrown)).to.have.property('message', 'enough')
    expect(semaphore.waiting).to.equal(1)
    semaphore.release()
    await patient
    semaphore.release()
    expect(semaphore.tryAcquire()).to.equal(true)
  })

  it('lets nobody in who has given up before', async () => {
    const semaphore = new Semaphore(1)
    const failure = await semaphore.acquire(AbortSignal.abort(new Error('x'))).catch((thrown: unknown) => thrown)
    expect(failure).to.have.property('message', 'x')
    expect(semaphore.tryAcquire()).to.equal(true)
  })

  it('does not take the permit back that was given before the abort', async () => {
    const semaphore = new Semaphore(1)
    await semaphore.acquire()
    const controller = new AbortController()
    const waiting = semaphore.acquire(controller.signal)
    semaphore.release()
    controller.abort()
    await waiting
    expect(semaphore.tryAcquire()).to.equal(false)
  })
})
