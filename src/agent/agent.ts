import type { AgentRegistration, RunningRun, RunReport, StartRun } from '../core/agents.ts'
import { linkedController } from '../core/abort.ts'
import { backoffMs } from '../core/backoff.ts'
import { TwofoldError, isTwofoldError } from '../core/errors.ts'
import type { ErrorCode } from '../core/errors.ts'
import { randomHexId } from '../core/ids.ts'
import type { Random } from '../core/random.ts'
import { agentNamePatienceMs, clockOffWarnMs } from '../core/schedule-limits.ts'
import { noSizes } from '../core/schedules.ts'
import type { RunSizes } from '../core/schedules.ts'
import type { Client } from '../client/index.ts'
import { carryOut } from './carry-out.ts'
import type { CarryOutDeps } from './carry-out.ts'

export interface AgentDeps extends Omit<CarryOutDeps, 'nowMs' | 'client'> {
  readonly client: Pick<Client, 'agents' | 'backup'>
  readonly random: Random
  readonly runsMax: number
  readonly hostName: string
  readonly programVersion: string
}

interface Work {
  readonly order: StartRun
  readonly controller: AbortController
  readonly startedAtMs: number
  sizes: RunSizes
  /** Set when it is over and must be reported. */
  report: Omit<RunReport, 'registrationNumber'> | undefined
  done: Promise<void>
}

const retryBackoff = { firstMs: 200, mostMs: 5000 }

/** Answers of the manager that will be the same the next time. */
const hopeless: readonly ErrorCode[] = ['invalid-argument', 'permission-denied', 'fenced', 'unsupported']

/** Registers, asks for work again and again, carries it out and says how it ended. */
export class Agent {
  readonly #deps: AgentDeps
  readonly #instanceId: string
  readonly #work = new Map<number, Work>()
  #registration: AgentRegistration | undefined
  #failures = 0
  /** Since when another process has the name. */
  #refusedSinceMs: number | undefined
  /** The manager's time less the monotonic one here. */
  #managerOffsetMs: number | undefined
  #clockTold = false
  #stopping = false
  #wake = Promise.withResolvers<void>()

  constructor(deps: AgentDeps) {
    this.#deps = deps
    this.#instanceId = randomHexId<string>(deps.random)
  }

  /**
   * Works until `signal` is aborted; then it ends its runs, whose next ones go on from there, and says that it leaves.
   * @throws TwofoldError what makes going on pointless: `already-exists` when another agent keeps the name, `fenced`
   */
  async run(signal: AbortSignal): Promise<void> {
    try {
      while (!signal.aborted) await this.#pause(await this.beat(signal), signal)
    } finally {
      await this.#stop()
    }
  }

  /** One round of talk with the manager. @returns how long to wait until the next, in milliseconds */
  async beat(signal: AbortSignal): Promise<number> {
    const { random, logger } = this.#deps
    try {
      const registration = this.#registration ?? (await this.#register(signal))
      const waitMs = await this.#talk(registration, signal)
      this.#failures = 0
      return waitMs
    } catch (error) {
      if (signal.aborted) return 0
      if (isTwofoldError(error, 'not-registered')) {
        this.#registration = undefined
        return 0
      }
      if (!isTwofoldError(error) || hopeless.includes(error.code) || !this.#waitsForName(error)) throw error
      if (this.#failures === 0) logger.warn('the manager cannot be reached, or refuses; trying again', { error })
      return Math.max(backoffMs(this.#failures++, random, retryBackoff), error.retryAfterMs ?? 0)
    }
  }

  /** A name is waited for as long as a process of before may hold it that was killed; other failures pass by. */
  #waitsForName(error: TwofoldError): boolean {
    if (error.code !== 'already-exists') return true
    const nowMs = this.#deps.clock.monotonicMs()
    this.#refusedSinceMs ??= nowMs
    return nowMs - this.#refusedSinceMs < agentNamePatienceMs
  }

  async #register(signal: AbortSignal): Promise<AgentRegistration> {
    const { client, clock, name, allow, hooks, runsMax, hostName, programVersion, logger } = this.#deps
    const about = { name, instanceId: this.#instanceId, allow, hooks: [...hooks.keys()], runsMax, hostName }
    const sentAtMs = clock.monotonicMs()
    const request = { ...about, programVersion, timeMs: clock.nowMs() }
    const registration = await client.agents.registerAgent(request, { signal })
    this.#setTime(registration.managerTimeMs, sentAtMs)
    this.#registration = registration
    this.#refusedSinceMs = undefined
    logger.info('registered', { agent: name, number: registration.registrationNumber })
    return registration
  }

  async #talk({ registrationNumber }: AgentRegistration, signal: AbortSignal): Promise<number> {
    const { client, clock, name } = this.#deps
    for (const [number, work] of this.#work) {
      if (work.report === undefined) continue
      await client.agents.reportRun({ ...work.report, registrationNumber }, { signal })
      this.#work.delete(number)
    }
    const ref = { name, instanceId: this.#instanceId, registrationNumber }
    const sentAtMs = clock.monotonicMs()
    const poll = { ...ref, timeMs: clock.nowMs(), running: this.#running(), leaving: false }
    const orders = await client.agents.poll(poll, { signal })
    this.#setTime(orders.managerTimeMs, sentAtMs)
    for (const number of orders.cancel) this.#cancel(number)
    for (const order of orders.start) this.#start(order)
    return orders.pollIntervalMs
  }

  #running(): RunningRun[] {
    return [...this.#work.values()].map(({ order, sizes }) => {
      return { number: order.number, attempt: order.attempt, sizes }
    })
  }

  #setTime(managerTimeMs: number, sentAtMs: number): void {
    const { clock, logger } = this.#deps
    const receivedAtMs = clock.monotonicMs()
    this.#managerOffsetMs = managerTimeMs - (sentAtMs + receivedAtMs) / 2
    const aheadMs = Math.round(clock.nowMs() - receivedAtMs - this.#managerOffsetMs)
    const off = Math.abs(aheadMs) > clockOffWarnMs
    if (off && !this.#clockTold) {
      logger.warn('the clock of this machine is off; times of backups are those of the manager', { aheadMs })
    }
    this.#clockTold = off
  }

  #cancel(number: number): void {
    const work = this.#work.get(number)
    if (work === undefined) return
    work.controller.abort(new TwofoldError('cancelled', 'it was cancelled'))
    // One that is over already is of no use to the manager any more.
    if (work.report !== undefined) this.#work.delete(number)
  }

  #start(order: StartRun): void {
    const { clock, logger, runsMax } = this.#deps
    const known = this.#work.get(order.number)
    if (known !== undefined || this.#work.size >= runsMax || this.#stopping) return
    const work: Work = {
      ...{ order, controller: new AbortController(), startedAtMs: clock.monotonicMs() },
      ...{ sizes: noSizes, report: undefined, done: Promise.resolve() },
    }
    this.#work.set(order.number, work)
    logger.info('a run begins', { run: order.number, path: Buffer.from(order.spec.path).toString() })
    work.done = this.#carryOut(work)
  }

  async #carryOut(work: Work): Promise<void> {
    const { order, controller } = work
    const { clock, logger, name } = this.#deps
    const nowMs = (): number => (this.#managerOffsetMs ?? 0) + clock.monotonicMs()
    const onSizes = (sizes: RunSizes): void => void (work.sizes = sizes)
    const outcome = await carryOut({ ...this.#deps, nowMs }, order, { signal: controller.signal, onSizes })
    const { number, attempt } = order
    const durationMs = Math.round(clock.monotonicMs() - work.startedAtMs)
    work.report = { name, instanceId: this.#instanceId, number, attempt, ...outcome, durationMs }
    const { state, message } = outcome
    logger.info('a run is over', { run: number, state, ...(message === '' ? {} : { message }) })
    this.#wake.resolve()
  }

  /** Until the next round is due, or a run is over. */
  async #pause(waitMs: number, signal: AbortSignal): Promise<void> {
    const { controller, release } = linkedController(signal)
    this.#wake = Promise.withResolvers<void>()
    const over = [...this.#work.values()].some(({ report }) => report !== undefined)
    if (over && this.#failures === 0) this.#wake.resolve()
    const due = this.#deps.clock.sleep(waitMs, controller.signal)
    try {
      await (this.#failures > 0 ? due : Promise.race([due, this.#wake.promise]))
    } catch (error) {
      if (!signal.aborted) throw error
    } finally {
      release()
      controller.abort(new TwofoldError('cancelled', 'the wait is over'))
      // Whoever lost the race ends by the abort.
      await due.catch(() => undefined)
    }
  }

  /** What was not finished is begun anew, from the last checkpoint, by the next process of this name. */
  async #stop(): Promise<void> {
    this.#stopping = true
    const { client, clock, logger, name } = this.#deps
    for (const { controller } of this.#work.values()) {
      controller.abort(new TwofoldError('cancelled', 'the agent stops'))
    }
    await Promise.all([...this.#work.values()].map(({ done }) => done))
    const { registrationNumber } = this.#registration ?? {}
    if (registrationNumber === undefined) return
    const ref = { name, instanceId: this.#instanceId, registrationNumber }
    try {
      await client.agents.poll({ ...ref, timeMs: clock.nowMs(), running: [], leaving: true })
    } catch (error) {
      // The manager notices by itself, only later.
      logger.debug('the manager could not be told that the agent leaves', { error })
    }
  }
}
