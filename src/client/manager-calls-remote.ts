import type { MethodDefinition } from '@grpc/grpc-js'
import { isTwofoldError, TwofoldError } from '../core/errors.ts'
import { unaryDeadlineMs } from '../core/limits.ts'
import type { CallOptions } from '../core/model.ts'
import { callServerStream, callUnary } from '../rpc/calls.ts'
import type { ChannelPool } from '../rpc/channel.ts'

type ClientConstructor = Parameters<ChannelPool['client']>[0]

/**
 * Calls of the manager at the other end of gRPC. With several addresses it keeps to the one that answered last and goes
 * on to the next when that cannot be reached; it never waits for one to come back, which is its callers' business.
 */
export class ManagerCalls {
  readonly #channels: ChannelPool
  readonly #addresses: readonly string[]
  readonly #service: ClientConstructor
  #current = 0

  /** @param addresses `host:port` each, at least one. */
  constructor(channels: ChannelPool, addresses: readonly string[], service: ClientConstructor) {
    this.#channels = channels
    this.#addresses = addresses
    this.#service = service
  }

  async call<Request, Response>(
    method: MethodDefinition<Request, Response>,
    request: Request,
    options: CallOptions & { deadlineMs?: number } = {},
  ): Promise<Response> {
    const { signal, deadlineMs = unaryDeadlineMs } = options
    let failure: TwofoldError | undefined
    for (let tried = 0; tried < this.#addresses.length; tried++) {
      const client = this.#channels.client(this.#service, this.#addresses[this.#current] as string)
      try {
        return await callUnary(client, method, request, { signal, deadlineMs })
      } catch (error) {
        if (!isUnreachable(error)) throw error
        failure = error
        this.#current = (this.#current + 1) % this.#addresses.length
      }
    }
    throw unreachable(this.#addresses, failure)
  }

  /** As `call`, for a stream of answers. It goes on to the next address only as long as nothing has come. */
  async *stream<Request, Response>(
    method: MethodDefinition<Request, Response>,
    request: Request,
    options: CallOptions & { idleMs?: number } = {},
  ): AsyncGenerator<Response> {
    let failure: TwofoldError | undefined
    for (let tried = 0; tried < this.#addresses.length; tried++) {
      const client = this.#channels.client(this.#service, this.#addresses[this.#current] as string)
      let begun = false
      try {
        for await (const answer of callServerStream(client, method, request, options)) {
          begun = true
          yield answer
        }
        return
      } catch (error) {
        if (begun || !isUnreachable(error)) throw error
        failure = error
        this.#current = (this.#current + 1) % this.#addresses.length
      }
    }
    throw unreachable(this.#addresses, failure)
  }
}

/** Whether the connection failed: what a manager itself answers has no cause, that stays in its log. */
function isUnreachable(error: unknown): error is TwofoldError {
  return isTwofoldError(error, 'unavailable', 'deadline-exceeded') && error.cause !== undefined
}

function unreachable(addresses: readonly string[], failure: TwofoldError | undefined): TwofoldError {
  const code = failure?.code ?? 'unavailable'
  const how = code === 'unavailable' ? 'cannot reach the manager at' : 'no answer in time from the manager at'
  const message = `${how} ${addresses.join(', ')}; is it running? Set --manager or TWOFOLD_MANAGER to where it is`
  return new TwofoldError(code, message, { cause: failure })
}
