import { Metadata } from '@grpc/grpc-js'
import type {
  CallOptions as GrpcCallOptions,
  Client,
  ClientWritableStream,
  MethodDefinition,
  ServiceError,
} from '@grpc/grpc-js'
import type { Clock } from '../core/clock.ts'
import { TwofoldError } from '../core/errors.ts'
import { commitDeadlineMs, streamIdleMs } from '../core/limits.ts'
import { systemClock } from '../system/clock.ts'
import { IdleWatch } from './idle-watch.ts'
import { Interrupter } from './interrupter.ts'
import { readMessages } from './message-reader.ts'
import { fromStatus } from './status.ts'

export interface UnaryOptions {
  readonly signal?: AbortSignal | undefined
  /** How long to wait for the answer, in milliseconds. */
  readonly deadlineMs: number
  readonly clock?: Clock
}

export interface StreamOptions {
  readonly signal?: AbortSignal | undefined
  /** How long the other side may let the stream stand still, in milliseconds; default `streamIdleMs`. */
  readonly idleMs?: number
  readonly clock?: Clock
}

export interface ClientStreamOptions extends StreamOptions {
  /** How long to wait for the answer after the last message, in milliseconds; default `commitDeadlineMs`. */
  readonly answerMs?: number
  /** Sends only the first message before the server says, by the headers of its answer, that it has room. */
  readonly untilAdmitted?: boolean
}

export function peerOf(client: Client): string {
  return client.getChannel().getTarget().replace(/^dns:/, '')
}

export function cancelled(signal: AbortSignal | undefined): TwofoldError {
  return new TwofoldError('cancelled', 'cancelled', { cause: signal?.reason })
}

/** Calls `stop` when `signal` is aborted; the result takes the listener away again. */
export function onAbort(signal: AbortSignal | undefined, stop: () => void): () => void {
  if (signal === undefined) return () => undefined
  signal.addEventListener('abort', stop, { once: true })
  return () => signal.removeEventListener('abort', stop)
}

/**
 * One request, one answer.
 *
 * @throws TwofoldError with the server's code, `unavailable` or `deadline-exceeded` (the outcome is unknown), or
 * `cancelled` when `signal` was aborted.
 */
export async function callUnary<Request, Response>(
  client: Client,
  method: MethodDefinition<Request, Response>,
  request: Request,
  options: UnaryOptions,
): Promise<Response> {
  const { signal, deadlineMs, clock = systemClock } = options
  if (signal?.aborted === true) throw cancelled(signal)
  const callOptions: GrpcCallOptions = { deadline: clock.nowMs() + deadlineMs }
  let release = (): void => undefined
  try {
    return await new Promise<Response>((resolve, reject) => {
      const call = client.makeUnaryRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        request,
        new Metadata(),
        callOptions,
        (error: ServiceError | null, response?: Response) => {
          if (error === null) resolve(response as Response)
          else reject(signal?.aborted === true ? cancelled(signal) : fromStatus(error, peerOf(client)))
        },
      )
      release = onAbort(signal, () => call.cancel())
    })
  } finally {
    release()
  }
}

/** The running half of a client-streaming call: writing, waiting for the peer, and its one end. */
class OutgoingStream<Request, Response> {
  readonly answer: Promise<Response>
  /** The server's headers are here. */
  readonly admitted: Promise<void>
  readonly #call: ClientWritableStream<Request>
  readonly #turn = new Interrupter()
  #ended = false

  constructor(client: Client, method: MethodDefinition<Request, Response>) {
    let settle: (error: ServiceError | null, response?: Response) => void = () => undefined
    this.answer = new Promise((resolve, reject) => {
      settle = (error, response) => {
        this.#ended = true
        if (error === null) resolve(response as Response)
        else reject(fromStatus(error, peerOf(client)))
        this.#turn.interrupt(new Error('the call is over'))
      }
    })
    // It is awaited in the end; until then a rejection is not an unhandled one.
    this.answer.catch(() => undefined)
    this.#call = client.makeClientStreamRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      new Metadata(),
      {},
      (error, response) => settle(error, response),
    )
    this.admitted = new Promise((resolve) => this.#call.once('metadata', () => resolve()))
    // The status says it better, and comes through the callback.
    this.#call.on('error', () => undefined)
  }

  /** Whether the server has answered or the call failed: nothing more need be sent. */
  get ended(): boolean {
    return this.#ended
  }

  /** `work` unless the call ends first. */
  guard<T>(work: Promise<T>): Promise<T> {
    return this.#turn.guard(work)
  }

  /** Resolves when the message has been copied and handed to the network. */
  write(message: Request): Promise<void> {
    return this.guard(new Promise((resolve) => void this.#call.write(message, () => resolve())))
  }

  end(): void {
    this.#call.end()
  }

  cancel(): void {
    this.#call.cancel()
  }
}

async function sendAll<Request, Response>(
  stream: OutgoingStream<Request, Response>,
  messages: AsyncIterable<Request>,
  { watch, untilAdmitted }: { watch: IdleWatch; untilAdmitted: boolean },
): Promise<void> {
  const iterator = messages[Symbol.asyncIterator]()
  let exhausted = false
  try {
    for (let first = true; ; first = false) {
      const next = await stream.guard(iterator.next())
      if (next.done === true) {
        exhausted = true
        return
      }
      watch.waiting()
      await stream.write(next.value)
      if (first && untilAdmitted) await stream.guard(stream.admitted)
      watch.moved()
    }
  } finally {
    // Not awaited: a generator that waits for something itself would only return after that.
    if (!exhausted) iterator.return?.()?.catch(() => undefined)
  }
}

/**
 * A stream of requests, one answer. The next message is asked for when the one before has been copied to the network,
 * so its memory may be reused then. A server may answer early; what is left is then not asked for.
 *
 * @throws what `messages` throws, or TwofoldError as `callUnary` does; `deadline-exceeded` when the other side stood
 * still.
 */
export async function callClientStream<Request, Response>(
  client: Client,
  method: MethodDefinition<Request, Response>,
  messages: AsyncIterable<Request>,
  options: ClientStreamOptions = {},
): Promise<Response> {
  const { signal, idleMs = streamIdleMs, clock = systemClock, untilAdmitted = false } = options
  const { answerMs = Math.max(commitDeadlineMs, idleMs) } = options
  if (signal?.aborted === true) throw cancelled(signal)
  const stream = new OutgoingStream(client, method)
  let reason: TwofoldError | undefined
  const giveUp = (error: TwofoldError): void => {
    reason ??= error
    stream.cancel()
  }
  const late = (what: string, ms: number): void =>
    giveUp(new TwofoldError('deadline-exceeded', `${peerOf(client)} ${what} for ${ms} ms`))
  const release = onAbort(signal, () => giveUp(cancelled(signal)))
  const watch = new IdleWatch({ clock, idleMs, onIdle: () => late('took nothing', idleMs) })
  let answerWatch: IdleWatch | undefined
  try {
    await sendAll(stream, messages, { watch, untilAdmitted })
    stream.end()
    answerWatch = new IdleWatch({ clock, idleMs: answerMs, onIdle: () => late('did not answer', answerMs) })
    answerWatch.waiting()
    return await stream.answer
  } catch (error) {
    if (reason !== undefined) throw reason
    if (stream.ended) return await stream.answer
    stream.cancel()
    throw error
  } finally {
    watch.stop()
    answerWatch?.stop()
    release()
  }
}

/**
 * One request, a stream of answers, read only as fast as they are asked for. Ending the iteration early cancels it.
 *
 * @throws TwofoldError as `callUnary` does; `deadline-exceeded` when the other side sent nothing for `idleMs`.
 */
export async function* callServerStream<Request, Response>(
  client: Client,
  method: MethodDefinition<Request, Response>,
  request: Request,
  options: StreamOptions = {},
): AsyncGenerator<Response> {
  const { signal, idleMs = streamIdleMs, clock = systemClock } = options
  if (signal?.aborted === true) throw cancelled(signal)
  const call = client.makeServerStreamRequest(
    method.path,
    method.requestSerialize,
    method.responseDeserialize,
    request,
    new Metadata(),
    {},
  )
  const turn = new Interrupter()
  call.on('error', (error) => turn.interrupt(fromStatus(error as ServiceError, peerOf(client))))
  const late = new TwofoldError('deadline-exceeded', `${peerOf(client)} sent nothing for ${idleMs} ms`)
  const watch = new IdleWatch({ clock, idleMs, onIdle: () => turn.interrupt(late) })
  const release = onAbort(signal, () => turn.interrupt(cancelled(signal)))
  try {
    yield* readMessages<Response>({ stream: call, turn, watch })
  } finally {
    watch.stop()
    release()
    call.cancel()
  }
}
