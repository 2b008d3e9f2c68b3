import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { SeededRandom } from '../support/seeded-random.ts'
import { Link } from './link.ts'
import type { LinkState } from './link.ts'
import { Pipe } from './pipe.ts'
import { resetSocket } from './reset-socket.ts'

/** `up`: from who connects to the server. `down`: what the server answers. */
export type Direction = 'up' | 'down'

export interface FaultProxyOptions {
  /** `host:port` of the server, asked at every connection. */
  readonly upstream: () => string
  /** For what is drawn: jitter, and which bit is flipped. */
  readonly seed?: number
}

interface Connection {
  readonly near: Socket
  readonly far: Socket
}

/**
 * TCP through a bad network: a server on a port of 127.0.0.1 that passes everything on to another, as badly as it is
 * told to, for each direction. It knows nothing of what it carries.
 */
export class FaultProxy {
  readonly #server: Server
  readonly #upstream: () => string
  readonly #connections = new Set<Connection>()
  readonly up: Link
  readonly down: Link

  private constructor({ upstream, seed = 1 }: FaultProxyOptions) {
    this.#upstream = upstream
    this.up = new Link(new SeededRandom(seed))
    this.down = new Link(new SeededRandom(seed + 1))
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => this.#accept(near))
  }

  static async start(options: FaultProxyOptions): Promise<FaultProxy> {
    const proxy = new FaultProxy(options)
    proxy.#server.listen(0, '127.0.0.1')
    await once(proxy.#server, 'listening')
    return proxy
  }

  /** `host:port` */
  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  get connections(): number {
    return this.#connections.size
  }

  /** Both directions, or one. */
  set(change: Partial<LinkState>, direction?: Direction): void {
    for (const link of this.#links(direction)) link.set(change)
  }

  /** Breaks all connections with a reset, at once and at both ends. */
  reset(): void {
    for (const { near, far } of this.#connections) {
      resetSocket(near)
      resetSocket(far)
    }
  }

  /** Says to one end of every connection that there is no more to come; the other direction goes on. */
  halfClose(direction: Direction): void {
    for (const { near, far } of this.#connections) (direction === 'up' ? far : near).end()
  }

  /** A good network from now on. What was lost stays lost. */
  heal(): void {
    this.up.heal()
    this.down.heal()
  }

  async stop(): Promise<void> {
    this.#server.close()
    for (const { near, far } of this.#connections) {
      near.destroy()
      far.destroy()
    }
    this.heal()
    await once(this.#server, 'close')
  }

  #links(direction?: Direction): Link[] {
    return direction === undefined ? [this.up, this.down] : [this[direction]]
  }

  #accept(near: Socket): void {
    const [host = '', port = ''] = this.#upstream().split(':')
    const far = connect({ host, port: Number(port), allowHalfOpen: true, noDelay: true })
    const connection = { near, far }
    this.#connections.add(connection)
    for (const socket of [near, far]) {
      // Each error is followed by a close, which the pipes pass on.
      socket.on('error', () => undefined)
      socket.once('close', () => {
        if (near.closed && far.closed) this.#connections.delete(connection)
      })
    }
    const { up, down } = this
    new Pipe({ source: near, target: far, link: up, back: down })
    new Pipe({ source: far, target: near, link: down, back: up })
  }
}
