import { Metadata } from '@grpc/grpc-js'
import type {
  ServerDuplexStream,
  ServerWritableStream,
  UntypedHandleCall,
  UntypedServiceImplementation,
  handleBidiStreamingCall,
  handleClientStreamingCall,
  handleServerStreamingCall,
  handleUnaryCall,
  sendUnaryData,
} from '@grpc/grpc-js'
import { TwofoldError } from '../core/errors.ts'
import { streamIdleMs } from '../core/limits.ts'
import { silentLogger } from '../core/logger.ts'
import { systemClock } from '../system/clock.ts'
import { IdleWatch } from './idle-watch.ts'
import { readMessages } from './message-reader.ts'
import { RunningCall } from './running-call.ts'
import type { CallContext, HandlerEnvironment } from './running-call.ts'
import { breakOff, confirmEnd, sessionOf } from './server-call.ts'

export type { CallContext, HandlerEnvironment } from './running-call.ts'

type Binder = (environment: HandlerEnvironment) => UntypedHandleCall

/** How to make each handler anew for the server that it is mounted on. */
const binders = new WeakMap<object, Binder>()

const defaultEnvironment: HandlerEnvironment = {
  logger: silentLogger,
  clock: systemClock,
  idleMs: streamIdleMs,
  running: new Set(),
}

function bindable<Handler extends UntypedHandleCall>(bind: (environment: HandlerEnvironment) => Handler): Handler {
  const handler = bind(defaultEnvironment)
  binders.set(handler, bind)
  return handler
}

/** The same implementation with its handlers bound to a server; handlers not of this module stay as they are. */
export function bindHandlers(
  implementation: UntypedServiceImplementation,
  environment: HandlerEnvironment,
): UntypedServiceImplementation {
  const bound: UntypedServiceImplementation = {}
  for (const [name, handler] of Object.entries(implementation)) {
    bound[name] = binders.get(handler)?.(environment) ?? handler
  }
  return bound
}

/** Runs `work` and sends the one answer, or the one table's status for what it threw. */
async function answer<Response>(
  running: RunningCall,
  work: () => Promise<Response>,
  send: sendUnaryData<Response>,
): Promise<void> {
  try {
    const response = await work()
    send(null, response)
  } catch (error) {
    send(running.report(error))
  } finally {
    running.finish()
  }
}

/** A handler for calls with one request and one answer. */
export function unaryHandler<Request, Response>(
  handle: (request: Request, context: CallContext) => Promise<Response>,
): handleUnaryCall<Request, Response> {
  return bindable((environment) => (call, callback) => {
    const running = new RunningCall(call, environment)
    void answer(running, () => handle(call.request, running.context), callback)
  })
}

function idleWatch(running: RunningCall, environment: HandlerEnvironment, what: string): IdleWatch {
  const { clock, idleMs } = environment
  const watch = new IdleWatch({
    clock,
    idleMs,
    onIdle: () => running.stop(new TwofoldError('deadline-exceeded', `the caller ${what} for ${idleMs} ms`)),
  })
  running.context.signal.addEventListener('abort', () => watch.stop())
  return watch
}

/**
 * A handler for calls with a stream of requests and one answer. Requests are taken from the network only as fast as
 * `handle` asks for them. It may answer before it has read all of them.
 */
export function clientStreamHandler<Request, Response>(
  handle: (messages: AsyncIterable<Request>, context: CallContext) => Promise<Response>,
): handleClientStreamingCall<Request, Response> {
  return streamHandler(false, (messages, context) => {
    context.admit()
    return handle(messages, context)
  })
}

export interface AdmittingContext extends CallContext {
  /**
   * There is room for what the caller wants to send: it is told so by the headers of the answer, and the stream gets
   * its share of the windows. To be called at most once.
   */
  readonly admit: () => void
}

/** As `clientStreamHandler`, for callers that wait with all but the first message until they are told that they may. */
export function admittingHandler<Request, Response>(
  handle: (messages: AsyncIterable<Request>, context: AdmittingContext) => Promise<Response>,
): handleClientStreamingCall<Request, Response> {
  return streamHandler(true, handle)
}

function streamHandler<Request, Response>(
  tells: boolean,
  handle: (messages: AsyncIterable<Request>, context: AdmittingContext) => Promise<Response>,
): handleClientStreamingCall<Request, Response> {
  return bindable((environment) => (call, callback) => {
    const running = new RunningCall(call, environment)
    const watch = idleWatch(running, environment, 'sent nothing')
    const messages = readMessages<Request>({
      stream: call,
      turn: running.turn,
      watch,
      confirmEnd: () => confirmEnd(call),
    })
    let leave: (() => void) | undefined
    const admit = (): void => {
      const session = sessionOf(call)
      if (session === undefined) return
      leave = environment.windows?.enter(session)
      if (tells) call.sendMetadata(new Metadata())
    }
    const work = async (): Promise<Response> => {
      try {
        return await handle(messages, { ...running.context, admit })
      } finally {
        watch.stop()
        leave?.()
      }
    }
    void answer(running, work, callback)
  })
}

/**
 * A handler for calls with one request and a stream of answers. The next answer is asked for when the one before has
 * been handed to the network, so its memory may be reused then. `standing`: as of `RunningCall`.
 */
export function serverStreamHandler<Request, Response>(
  handle: (request: Request, context: CallContext) => AsyncIterable<Response>,
  options: { readonly standing?: boolean } = {},
): handleServerStreamingCall<Request, Response> {
  return bindable((environment) => (call) => {
    const running = new RunningCall(call, environment, options)
    const watch = idleWatch(running, environment, 'read nothing')
    answerAll({ call, running, watch, answers: handle(call.request, running.context) })
  })
}

/**
 * A handler for calls with a stream of requests, each of which is answered before the next is looked at. The stream is
 * there for as long as the caller wants; a request that is refused ends it.
 */
export function exchangeHandler<Request, Response>(
  handle: (request: Request, context: CallContext) => Promise<Response>,
): handleBidiStreamingCall<Request, Response> {
  return bindable((environment) => (call) => {
    const running = new RunningCall(call, environment, { standing: true })
    const watch = idleWatch(running, environment, 'neither sent nor read')
    const requests = readMessages<Request>({ stream: call, turn: running.turn, watch })
    const answers = async function* (): AsyncGenerator<Response> {
      for await (const request of requests) yield await handle(request, running.context)
    }
    answerAll({ call, running, watch, answers: answers() })
  })
}

interface Answering<Response> {
  readonly call: ServerWritableStream<unknown, Response> | ServerDuplexStream<unknown, Response>
  readonly running: RunningCall
  readonly watch: IdleWatch
  readonly answers: AsyncIterable<Response>
}

/** Writes one answer after the other, and the one table's status for what making them threw. */
function answerAll<Response>({ call, running, watch, answers }: Answering<Response>): void {
  const write = (message: Response): Promise<void> =>
    new Promise((resolve, reject) => {
      call.write(message, (error: Error | null | undefined) => (error ? reject(error) : resolve()))
    })
  const work = async (): Promise<void> => {
    for await (const message of answers) {
      watch.waiting()
      await running.turn.guard(write(message))
      watch.moved()
    }
  }
  const finish = (): void => {
    watch.stop()
    running.finish()
  }
  work().then(
    () => {
      finish()
      call.end()
    },
    (error: unknown) => {
      call.emit('error', running.report(error))
      finish()
      // Whatever still waits to be read by then never will be.
      if (call.writableLength > 0) breakOff(call)
    },
  )
}
