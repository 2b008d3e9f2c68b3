import { Server, ServerCredentials, addAdminServicesToServer, setLogger } from '@grpc/grpc-js'
import type { Clock } from '../core/clock.ts'
import { TwofoldError } from '../core/errors.ts'
import { flowControlWindowBytes, flowControlWindowBytesMin, messageBytesMax, streamIdleMs } from '../core/limits.ts'
import type { Logger } from '../core/logger.ts'
import { systemClock } from '../system/clock.ts'
import { formatAddress, isLoopback, parseAddress } from './address.ts'
import type { Address } from './address.ts'
import { bindHandlers } from './handlers.ts'
import type { HandlerEnvironment } from './handlers.ts'
import { healthMount } from './health.ts'
import { addReflection } from './reflection.ts'
import type { RunningCall } from './running-call.ts'
import { serviceName } from './service-mount.ts'
import type { ServiceMount } from './service-mount.ts'
import { setStreamWindows, widenConnectionWindows } from './server-window.ts'
import { WindowShares } from './window-shares.ts'

export type { ServiceMount } from './service-mount.ts'

export interface ServerOptions {
  /** `host:port`; port 0 takes a free one. */
  readonly address: string
  readonly services: readonly ServiceMount[]
  /** Whether the server can do its work now: the answer of the health service. */
  readonly serving: () => boolean
  /** Allows an address that other machines reach, although nothing is encrypted. */
  readonly insecure?: boolean
  /** Incoming streams share `streamWindowsBytes` out between them; otherwise each has a whole window. */
  readonly sharedWindows?: boolean
  readonly logger: Logger
  readonly clock?: Clock
  /** How long a stream may stand still because of its caller, in milliseconds. */
  readonly idleMs?: number
}

export interface RunningServer {
  /** The address it listens on. */
  readonly address: string
  readonly port: number
  /** What health says; false whatever `serving` thinks once it was set to false. */
  setServing(serving: boolean): void
  /**
   * Takes no new calls, waits up to `deadlineMs` for the ones in progress but those that go on as long as their callers
   * do, then breaks them off with `unavailable`, and closes every connection. Never throws; a second call waits for the
   * first.
   */
  drain(deadlineMs: number): Promise<void>
}

/** A caller that vanished without a word is noticed after both. */
const keepaliveMs = 20_000
const keepaliveTimeoutMs = 10_000
/** Calls in progress on one connection: far above what a client of ours has. */
const streamsPerConnectionMax = 1024
/** How long calls that were broken off get to say so to their callers. */
const farewellMs = 500

const grpcOptions = {
  'grpc.max_receive_message_length': messageBytesMax,
  'grpc.max_send_message_length': messageBytesMax,
  'grpc.max_concurrent_streams': streamsPerConnectionMax,
  'grpc.keepalive_time_ms': keepaliveMs,
  'grpc.keepalive_timeout_ms': keepaliveTimeoutMs,
}

function checkAddress(text: string, insecure: boolean): Address {
  const address = parseAddress(text)
  if (!isLoopback(address.host) && !insecure) {
    throw new TwofoldError(
      'invalid-argument',
      `${text} can be reached from other machines, and connections are not encrypted yet: there is no TLS. Listen on ` +
        '127.0.0.1, or give --insecure, which lets anybody who reaches the address read, write and delete everything',
    )
  }
  return address
}

/** What grpc-js wants to say goes to our log instead of the terminal. */
function quieten(logger: Logger): void {
  const write = (...words: unknown[]): void => logger.debug('grpc-js', { words: words.map(String).join(' ') })
  setLogger({ error: write, info: write, debug: write })
}

function bind(server: Server, address: Address): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(formatAddress(address), ServerCredentials.createInsecure(), (error, port) => {
      if (error === null) return resolve(port)
      const inUse = error.message.includes('EADDRINUSE')
      const reason = inUse ? 'the address is in use; is another process there?' : error.message
      const message = `cannot listen on ${formatAddress(address)}: ${reason}`
      reject(new TwofoldError('failed-precondition', message, { cause: error }))
    })
  })
}

/** Everything that a server offers: the services asked for, health, channelz and reflection. */
function mountAll(server: Server, mounts: readonly ServiceMount[], environment: HandlerEnvironment): void {
  for (const { definition, implementation } of mounts) {
    server.addService(definition, bindHandlers(implementation, environment))
  }
  addAdminServicesToServer(server)
  addReflection(server, [
    ...mounts.map(({ definition }) => serviceName(definition)),
    'grpc.channelz.v1.Channelz',
    'grpc.reflection.v1.ServerReflection',
    'grpc.reflection.v1alpha.ServerReflection',
  ])
}

async function shutDown(server: Server, deadlineMs: number, environment: HandlerEnvironment): Promise<void> {
  const { clock, running, logger } = environment
  const breakOff = (calls: Iterable<RunningCall>): void => {
    for (const call of calls) call.stop(new TwofoldError('unavailable', 'the server is shutting down'))
  }
  breakOff([...running].filter(({ standing }) => standing))
  const closed = new Promise<void>((resolve) => server.tryShutdown(() => resolve()))
  const done = new AbortController()
  const patience = async (): Promise<void> => {
    await clock.sleep(deadlineMs, done.signal)
    logger.warn('calls in progress are broken off', { calls: running.size })
    breakOff(running)
    await clock.sleep(farewellMs, done.signal)
  }
  await Promise.race([closed, patience()])
  done.abort()
  server.forceShutdown()
}

/**
 * Starts a gRPC server.
 *
 * @throws `invalid-argument` for an address that is malformed, or not loopback without `insecure`;
 * `failed-precondition` when it cannot listen there.
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { logger, clock = systemClock, idleMs = streamIdleMs } = options
  const address = checkAddress(options.address, options.insecure === true)
  quieten(logger)
  const windows = options.sharedWindows === true ? new WindowShares() : undefined
  const environment: HandlerEnvironment = { logger, clock, idleMs, running: new Set(), windows }
  let allowed = true
  const names = options.services.map(({ definition }) => serviceName(definition))
  const health = healthMount(names, () => allowed && options.serving(), clock)

  const server = new Server(grpcOptions)
  setStreamWindows(server, windows === undefined ? flowControlWindowBytes : flowControlWindowBytesMin)
  mountAll(server, [...options.services, health], environment)
  const port = await bind(server, address)
  widenConnectionWindows(server)

  let draining: Promise<void> | undefined
  return {
    address: formatAddress({ host: address.host, port }),
    port,
    setServing: (serving) => void (allowed = serving),
    drain: (deadlineMs) => {
      allowed = false
      draining ??= shutDown(server, deadlineMs, environment)
      return draining
    },
  }
}
