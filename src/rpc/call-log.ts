import { InterceptingCall, ListenerBuilder, RequesterBuilder, status } from '@grpc/grpc-js'
import type { Interceptor } from '@grpc/grpc-js'
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'

/** Logs every call when it is over: its name, how it ended and how long it took. */
export function logCalls(logger: Logger, clock: Pick<Clock, 'monotonicMs'>): Interceptor {
  return (options, next) => {
    const startedMs = clock.monotonicMs()
    const { path } = options.method_definition
    const listener = new ListenerBuilder()
      .withOnReceiveStatus((ended, pass) => {
        const milliseconds = Math.round(clock.monotonicMs() - startedMs)
        logger.info('a call ended', { call: path, status: status[ended.code], milliseconds })
        pass(ended)
      })
      .build()
    const requester = new RequesterBuilder().withStart((metadata, _, start) => start(metadata, listener)).build()
    return new InterceptingCall(next(options), requester)
  }
}
