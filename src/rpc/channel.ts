import { credentials } from '@grpc/grpc-js'
import type { ChannelCredentials, ChannelOptions, Client, ClientOptions, Interceptor } from '@grpc/grpc-js'
import { flowControlWindowBytes, messageBytesMax } from '../core/limits.ts'
import { formatAddress, parseAddress } from './address.ts'

/** A generated client's constructor. */
export type ClientConstructor<C extends Client> = new (
  address: string,
  credentials: ChannelCredentials,
  options?: Partial<ClientOptions>,
) => C

/** A peer that vanished without a word is noticed after both: while a call runs, its machine must answer pings. */
const keepaliveMs = 10_000
const keepaliveTimeoutMs = 5_000
/** How soon a channel tries again to connect; our own retries decide for how long. */
const reconnectFirstMs = 100
const reconnectMostMs = 1_000

const commonOptions: ChannelOptions = {
  'grpc-node.flow_control_window': flowControlWindowBytes,
  'grpc.max_receive_message_length': messageBytesMax,
  'grpc.max_send_message_length': messageBytesMax,
  'grpc.keepalive_time_ms': keepaliveMs,
  'grpc.keepalive_timeout_ms': keepaliveTimeoutMs,
  'grpc.initial_reconnect_backoff_ms': reconnectFirstMs,
  'grpc.min_reconnect_backoff_ms': reconnectFirstMs,
  'grpc.max_reconnect_backoff_ms': reconnectMostMs,
  // Retries are made by `retrying`, which knows what may be repeated. Without the buffer, a message's write resolves
  // only when its bytes have been copied: that is what lets callers reuse a slice's memory.
  'grpc.enable_retries': 0,
  'grpc.per_rpc_retry_buffer_size': 0,
  'grpc.service_config_disable_resolution': 1,
  // The nodes of a cluster talk to each other, not through the proxy that the environment names for the web.
  'grpc.enable_http_proxy': 0,
  'grpc.enable_channelz': 0,
}

export interface PoolOptions {
  readonly bulk: boolean
  /** Is told to servers. */
  readonly program?: string
  /** What every call goes through. */
  readonly interceptors?: readonly Interceptor[]
}

/**
 * Clients by address, made when first asked for. Clients of one pool share one connection for each address. Packs
 * travel on a pool of their own (`bulk`), so that small calls do not wait behind their bytes.
 */
export class ChannelPool {
  readonly #options: Partial<ClientOptions>
  readonly #clients = new Map<string, Map<unknown, Client>>()

  constructor({ bulk, program = 'twofold', interceptors = [] }: PoolOptions) {
    // Distinct options make grpc-js use distinct connections; a different user agent is the harmless one.
    const own = { 'grpc.primary_user_agent': bulk ? `${program} (bulk)` : program }
    this.#options = {
      ...commonOptions,
      ...own,
      ...(interceptors.length === 0 ? {} : { interceptors: [...interceptors] }),
    }
  }

  /** @throws `invalid-argument` when `address` is not `host:port`. */
  client<C extends Client>(constructor: ClientConstructor<C>, address: string): C {
    const name = formatAddress(parseAddress(address))
    const atAddress = this.#clients.get(name) ?? new Map<unknown, Client>()
    this.#clients.set(name, atAddress)
    const known = atAddress.get(constructor)
    if (known !== undefined) return known as C
    const made = new constructor(name, credentials.createInsecure(), this.#options)
    atAddress.set(constructor, made)
    return made
  }

  /** Closes every connection; calls in progress end. */
  close(): void {
    for (const atAddress of this.#clients.values()) for (const client of atAddress.values()) client.close()
    this.#clients.clear()
  }
}
