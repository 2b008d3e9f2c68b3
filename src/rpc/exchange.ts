import { Metadata, status as Status } from '@grpc/grpc-js'
import type { Client, ClientDuplexStream, MethodDefinition, ServiceError, StatusObject } from '@grpc/grpc-js'
import { TwofoldError } from '../core/errors.ts'
import { systemClock } from '../system/clock.ts'
import { cancelled, onAbort, peerOf } from './calls.ts'
import { IdleWatch } from './idle-watch.ts'
import { Interrupter } from './interrupter.ts'
import { fromStatus } from './status.ts'

export interface ExchangeOptions<Request, Response> {
  readonly method: MethodDefinition<Request, Response>
  /** How long to wait for an answer, in milliseconds. */
  readonly deadlineMs: number
}

/**
 * Questions that are asked again and again, each of which has one answer, over a stream that stays open: a call for
 * each costs more than twice the processor time. It is opened when it is needed, and anew after any failure.
 */
export class Exchange<Request, Response> {
  readonly #options: ExchangeOptions<Request, Response>
  #stream: QuestionStream<Request, Response> | undefined

  constructor(options: ExchangeOptions<Request, Response>) {
    this.#options = options
  }

  /**
   * One question at a time. The stream stays open after the answer until `signal` is aborted.
   *
   * @throws TwofoldError as `callUnary` does.
   */
  async ask(client: Client, request: Request, signal?: AbortSignal): Promise<Response> {
    if (signal?.aborted === true) throw cancelled(signal)
    if (this.#stream?.client !== client) this.#stream?.close(new TwofoldError('cancelled', 'another peer is asked'))
    if (this.#stream?.ended !== false) this.#stream = new QuestionStream(client, this.#options)
    return this.#stream.ask(request, signal)
  }
}

/** One stream, until its first failure. */
class QuestionStream<Request, Response> {
  readonly client: Client
  readonly #call: ClientDuplexStream<Request, Response>
  readonly #turn = new Interrupter()
  readonly #watch: IdleWatch
  #ended = false
  #answered: (response: Response) => void = () => undefined
  #release = (): void => undefined

  constructor(client: Client, { method, deadlineMs }: ExchangeOptions<Request, Response>) {
    this.client = client
    const { path, requestSerialize, responseDeserialize } = method
    this.#call = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, new Metadata())
    const late = new TwofoldError('deadline-exceeded', `${peerOf(client)} did not answer for ${deadlineMs} ms`)
    this.#watch = new IdleWatch({ clock: systemClock, idleMs: deadlineMs, onIdle: () => this.close(late) })
    this.#call.on('data', (response: Response) => this.#answered(response))
    this.#call.on('status', (status: StatusObject) => this.#end(this.#reasonOf(status)))
    // The status says it as well, and is also there when the server just ended the stream.
    this.#call.on('error', () => undefined)
  }

  get ended(): boolean {
    return this.#ended
  }

  async ask(request: Request, signal: AbortSignal | undefined): Promise<Response> {
    this.#release()
    this.#release = onAbort(signal, () => this.close(cancelled(signal)))
    this.#watch.waiting()
    const answer = new Promise<Response>((resolve) => (this.#answered = resolve))
    this.#call.write(request)
    const response = await this.#turn.guard(answer)
    this.#watch.moved()
    return response
  }

  close(reason: TwofoldError): void {
    this.#end(reason)
    this.#call.cancel()
  }

  #end(reason: TwofoldError): void {
    this.#ended = true
    this.#watch.stop()
    this.#release()
    this.#turn.interrupt(reason)
  }

  #reasonOf(status: StatusObject): TwofoldError {
    if (status.code === Status.OK) return new TwofoldError('unavailable', `${peerOf(this.client)} ended the stream`)
    return fromStatus(status as ServiceError, peerOf(this.client))
  }
}
