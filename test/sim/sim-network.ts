import type { AgentsApi } from '../../src/client/agents-api.ts'
import type { SchedulesApi } from '../../src/client/schedules-api.ts'
import type { AdminApi } from '../../src/client/admin-api.ts'
import type { ManagerApi as ClientManagerApi } from '../../src/client/manager-api.ts'
import type { NodeAdminApi } from '../../src/client/node-admin-api.ts'
import type { StorageApi } from '../../src/client/storage-api.ts'
import { TwofoldError } from '../../src/core/errors.ts'
import type { ReadSlice } from '../../src/core/storage-messages.ts'
import type { CallOptions, NodeRef } from '../../src/core/model.ts'
import type { Random } from '../../src/core/random.ts'
import type { Manager } from '../../src/manager/manager.ts'
import type { ManagerApi as NodeManagerApi } from '../../src/node/manager-api.ts'
import type { PeerApi } from '../../src/node/peer-api.ts'
import type { StorageNode } from '../../src/node/storage-node.ts'
import { adminPort } from '../support/admin-port.ts'
import { schedulePort } from '../support/schedule-port.ts'
import { managerPort } from '../support/manager-port.ts'
import type { ManagerCall } from '../support/manager-port.ts'
import type { SimProcess } from './sim-process.ts'
import type { SimScheduler } from './sim-scheduler.ts'
import type { SimTrace } from './sim-trace.ts'

/** A process that answers calls at an address. */
export interface Endpoint<Api> {
  readonly process: SimProcess
  readonly api: Api
}

export interface SimNetworkOptions {
  readonly scheduler: SimScheduler
  readonly random: Random
  readonly trace: SimTrace
}

export interface NetworkFaults {
  /**
   * Share of calls whose request is lost, and of those whose answer is lost although the work was done. Half of the
   * lost requests were only held up: they arrive up to a minute later, when nobody waits for the answer any more.
   */
  readonly lossShare: number
  /** Share of unary calls that arrive twice, the second time up to a minute late. */
  readonly repeatShare: number
  /** Share of messages that take up to a second. */
  readonly slowShare: number
  /** Share of streams whose connection breaks. Who has got all of it already may not notice, and goes on. */
  readonly breakShare: number
  /** Share of slices, sent or read, that arrive with another byte. */
  readonly damageShare: number
}

export const noNetworkFaults: NetworkFaults = {
  ...{ lossShare: 0, repeatShare: 0, slowShare: 0 },
  ...{ breakShare: 0, damageShare: 0 },
}

interface Call<Api, T> {
  readonly caller: SimProcess
  readonly address: string
  readonly what: string
  readonly signal: AbortSignal | undefined
  /** Whether it takes a stream along, which cannot arrive twice. */
  readonly stream: boolean
  readonly find: () => Endpoint<Api> | undefined
  /** `broken` is aborted when the connection breaks. */
  readonly work: (api: Api, options: CallOptions, broken: AbortSignal) => Promise<T>
}

/** What carries a stream from one process to another. */
interface Line {
  readonly sender: SimProcess
  readonly receiver: NodeRef
  readonly broken: AbortSignal
}

/** How long a caller waits for an answer, in milliseconds: to a call, and to a stream. */
const answerTimeoutMs = 10_000
const streamTimeoutMs = 60_000

/**
 * The network between simulated processes, at the level of typed calls and streams. Messages take time; requests and
 * answers get lost; when either end dies, or they are cut off from each other, the call breaks for the other one.
 */
export class SimNetwork {
  readonly #options: SimNetworkOptions
  readonly #nodes = new Map<string, Endpoint<StorageNode>>()
  #manager: Endpoint<Manager> | undefined
  /** Pairs `from to` that do not hear each other. */
  readonly #cuts = new Set<string>()
  #faults = noNetworkFaults

  constructor(options: SimNetworkOptions) {
    this.#options = options
  }

  serveManager(endpoint: Endpoint<Manager>): void {
    this.#manager = endpoint
  }

  serveNode(address: string, endpoint: Endpoint<StorageNode>): void {
    this.#nodes.set(address, endpoint)
  }

  misbehave(faults: NetworkFaults): void {
    this.#faults = faults
  }

  /** From now on nothing gets lost any more. */
  heal(): void {
    this.#faults = noNetworkFaults
    this.#cuts.clear()
  }

  /** Messages from one process (by name) to another get lost from now on, or no longer. */
  cut(from: string, to: string, broken: boolean): void {
    if (broken) this.#cuts.add(`${from} ${to}`)
    else this.#cuts.delete(`${from} ${to}`)
  }

  /** The manager as `caller` sees it; both roles' ports at once. */
  managerFor(caller: SimProcess): ClientManagerApi & NodeManagerApi {
    return managerPort(this.#managerCall(caller))
  }

  adminFor(caller: SimProcess): AdminApi & NodeAdminApi {
    return adminPort(this.#managerCall(caller))
  }

  schedulesFor(caller: SimProcess): SchedulesApi & AgentsApi {
    return schedulePort(this.#managerCall(caller))
  }

  #managerCall(caller: SimProcess): ManagerCall {
    return (what, options, work) => {
      const find = (): Endpoint<Manager> | undefined => this.#manager
      const call = { caller, address: 'manager', what, signal: options?.signal, stream: false, find }
      return this.#call({ ...call, work })
    }
  }

  /** The nodes as a client sees them. */
  storageFor(caller: SimProcess): StorageApi {
    return {
      upload: (node, header, slices, { signal } = {}) =>
        this.#toNode(caller, node, 'upload', signal, (api, options, broken) =>
          api.upload(header, this.#carry(slices, { sender: caller, receiver: node, broken }), options),
        ),
      read: (node, request, { signal } = {}) => this.#read(caller, node, (api) => api.read(request, { signal })),
      stat: (node, packId, { signal } = {}) =>
        this.#toNode(caller, node, 'stat', signal, (api) => Promise.resolve(api.stat(packId))),
      verify: (node, packId, { signal } = {}) =>
        this.#toNode(caller, node, 'verify', signal, (api, options) => api.verify(packId, options)),
      witness: (node, statement, { signal } = {}) =>
        this.#toNode(caller, node, 'witness', signal, (api) => api.witness(statement)),
    }
  }

  /** The nodes as a node sees them. */
  peersFor(caller: SimProcess): PeerApi {
    return {
      replicate: (peer, header, slices, { signal } = {}) =>
        this.#toNode(caller, peer, 'replicate', signal, (api, options, broken) =>
          api.replicate(header, this.#carry(slices, { sender: caller, receiver: peer, broken }), options),
        ),
    }
  }

  #toNode<T>(
    caller: SimProcess,
    node: NodeRef,
    what: string,
    signal: AbortSignal | undefined,
    work: Call<StorageNode, T>['work'],
  ): Promise<T> {
    const { address } = node
    const stream = what === 'upload' || what === 'replicate'
    return this.#call({ caller, address, what, signal, stream, find: () => this.#nodes.get(address), work })
  }

  #latencyMs(): number {
    const { random } = this.#options
    const longestMs = this.#faults.slowShare > 0 && random.fraction() < this.#faults.slowShare ? 1000 : 2
    return 0.1 + random.fraction() * longestMs
  }

  #lost(from: string, to: string): boolean {
    return this.#cuts.has(`${from} ${to}`) || this.#options.random.fraction() < this.#faults.lossShare
  }

  #call<Api, T>(call: Call<Api, T>): Promise<T> {
    return call.caller.alive(this.#answered(call))
  }

  async #answered<Api, T>({ caller, address, what, signal, stream, find, work }: Call<Api, T>): Promise<T> {
    const { scheduler, trace } = this.#options
    const record = (text: string): void => trace.add(scheduler.nowMs, `${caller.name} ${address} ${what} ${text}`)
    signal?.throwIfAborted()
    record('asked')
    await scheduler.delay(this.#latencyMs())
    const endpoint = find()
    if (endpoint === undefined || endpoint.process.dead) {
      record('nobody there')
      throw unavailable(`nobody answers at ${address}`)
    }
    const callee = endpoint.process
    if (this.#lost(caller.name, callee.name)) {
      record('request lost')
      if (!stream && this.#options.random.fraction() < 0.5) this.#later(endpoint, work)
      await scheduler.delay(answerTimeoutMs)
      throw unavailable(`${address} did not answer in time`)
    }
    const controller = new AbortController()
    const { promise: broken, reject } = Promise.withResolvers<never>()
    broken.catch(() => undefined)
    if (!stream) this.#repeat(endpoint, work)
    const timeoutMs = stream ? streamTimeoutMs : answerTimeoutMs
    const late = (): void => reject(new TwofoldError('deadline-exceeded', `${address} did not answer in time`))
    const inTime = scheduler.after(timeoutMs, late)
    const line = new AbortController()
    const holds = stream ? this.#mayBreak(line, { reject, controller }) : () => undefined
    const forgetCallee = callee.onDeath(() => reject(unavailable(`${callee.name} went away`)))
    const forgetCaller = caller.onDeath(() =>
      controller.abort(new TwofoldError('cancelled', `${caller.name} went away`)),
    )
    const giveUp = (): void => {
      // Why it gave up does not cross the network.
      controller.abort(new TwofoldError('cancelled', `${caller.name} gave up`))
      reject(signal?.reason as Error)
    }
    if (signal?.aborted === true) giveUp()
    signal?.addEventListener('abort', giveUp, { once: true })
    try {
      const answer = await Promise.race([work(endpoint.api, { signal: controller.signal }, line.signal), broken])
      await scheduler.delay(this.#latencyMs())
      if (this.#lost(callee.name, caller.name)) {
        record('answer lost')
        await scheduler.delay(answerTimeoutMs)
        throw unavailable(`the answer of ${address} was lost`)
      }
      record('answered')
      return answer
    } catch (error) {
      record(`failed: ${error instanceof TwofoldError ? error.code : String(error)}`)
      throw error
    } finally {
      signal?.removeEventListener('abort', giveUp)
      inTime()
      holds()
      forgetCallee()
      forgetCaller()
    }
  }

  /** A connection that is going to break, perhaps. @returns how to call that off. */
  #mayBreak(
    line: AbortController,
    ends: { readonly reject: (error: Error) => void; readonly controller: AbortController },
  ): () => void {
    const { random, scheduler } = this.#options
    if (this.#faults.breakShare === 0 || random.fraction() >= this.#faults.breakShare) return () => undefined
    return scheduler.after(random.fraction() ** 2 * 1000, () => {
      const broke = unavailable('the connection broke')
      line.abort(broke)
      ends.reject(broke)
      if (random.fraction() < 0.5) ends.controller.abort(new TwofoldError('cancelled', 'the connection broke'))
    })
  }

  /** A request that arrives once more, when its caller may be long gone. */
  #repeat<Api, T>(endpoint: Endpoint<Api>, work: Call<Api, T>['work']): void {
    if (this.#faults.repeatShare === 0 || this.#options.random.fraction() >= this.#faults.repeatShare) return
    this.#later(endpoint, work)
  }

  /** Nobody hears what becomes of it. */
  #later<Api, T>({ process, api }: Endpoint<Api>, work: Call<Api, T>['work']): void {
    const { scheduler, random, trace } = this.#options
    scheduler.after(random.fraction() * 60_000, () => {
      if (process.dead) return
      trace.add(scheduler.nowMs, `${process.name} is asked late`)
      const unheard = async (): Promise<T> => work(api, {}, new AbortController().signal)
      unheard().catch(() => undefined)
    })
  }

  /** The bytes as they arrive, in memory of their own. */
  #arrived(bytes: Uint8Array): Uint8Array {
    const copy = new Uint8Array(bytes)
    const { random } = this.#options
    if (this.#faults.damageShare === 0 || random.fraction() >= this.#faults.damageShare) return copy
    const at = Math.floor(random.fraction() * copy.length)
    copy[at] = (copy[at] ?? 0) ^ (1 + Math.floor(random.fraction() * 255))
    return copy
  }

  /** The slices as they arrive at the other end. */
  async *#carry(slices: AsyncIterable<Uint8Array>, line: Line): AsyncGenerator<Uint8Array> {
    const { sender, receiver } = line
    const { scheduler, trace } = this.#options
    const { promise: broken, reject } = Promise.withResolvers<never>()
    broken.catch(() => undefined)
    const breaks = (): void => reject(unavailable('the connection broke'))
    line.broken.addEventListener('abort', breaks, { once: true })
    // It may have died before anybody asked for the first slice.
    if (sender.dead) throw unavailable(`${sender.name} went away`)
    const forget = sender.onDeath(() => reject(unavailable(`${sender.name} went away`)))
    const iterator = slices[Symbol.asyncIterator]()
    try {
      for (;;) {
        const next = await Promise.race([iterator.next(), broken])
        if (next.done === true) return
        const copy = this.#arrived(next.value)
        await scheduler.delay(this.#latencyMs())
        line.broken.throwIfAborted()
        if (sender.dead) throw unavailable(`${sender.name} went away`)
        if (this.#cuts.has(`${sender.name} ${receiver.name}`)) throw unavailable(`${sender.name} is cut off`)
        trace.add(scheduler.nowMs, `${sender.name} ${receiver.name} slice ${copy.length}`)
        yield copy
      }
    } finally {
      forget()
      line.broken.removeEventListener('abort', breaks)
      iterator.return?.()?.catch(() => undefined)
    }
  }

  async *#read(
    caller: SimProcess,
    node: NodeRef,
    open: (api: StorageNode) => AsyncIterable<ReadSlice>,
  ): AsyncGenerator<ReadSlice> {
    const { scheduler } = this.#options
    await caller.alive(scheduler.delay(this.#latencyMs()))
    const endpoint = this.#nodes.get(node.address)
    if (endpoint === undefined || endpoint.process.dead) throw unavailable(`nobody answers at ${node.address}`)
    const callee = endpoint.process
    if (this.#lost(caller.name, callee.name)) throw unavailable(`${node.name} did not answer`)
    const { promise: broken, reject } = Promise.withResolvers<never>()
    broken.catch(() => undefined)
    const forget = callee.onDeath(() => reject(unavailable(`${callee.name} went away`)))
    const iterator = open(endpoint.api)[Symbol.asyncIterator]()
    try {
      for (;;) {
        const next = await caller.alive(Promise.race([iterator.next(), broken]))
        if (next.done === true) return
        await caller.alive(scheduler.delay(this.#latencyMs()))
        const { offset, data } = next.value
        yield { offset, data: this.#arrived(data) }
      }
    } finally {
      forget()
      iterator.return?.()?.catch(() => undefined)
    }
  }
}

function unavailable(message: string): TwofoldError {
  return new TwofoldError('unavailable', message)
}
