import { expect } from 'chai'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { FaultProxy } from '../chaos/fault-proxy.ts'

/** One end of a connection, with all that came in. */
class End {
  readonly socket: Socket
  readonly #pieces: Buffer[] = []
  #wake: () => void = () => undefined
  ended = false
  /** The code of what broke it. */
  broken = ''

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (piece: Buffer) => this.#pieces.push(piece))
    socket.once('end', () => (this.ended = true))
    socket.once('error', (error: NodeJS.ErrnoException) => (this.broken = error.code ?? ''))
    for (const event of ['data', 'end', 'finish', 'close']) socket.on(event, () => this.#wake())
  }

  get received(): Buffer {
    return Buffer.concat(this.#pieces)
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => (this.#wake = resolve))
  }

  untilReceived(bytes: number): Promise<void> {
    return this.until(() => this.received.length >= bytes || this.socket.closed)
  }
}

describe('the fault proxy', () => {
  let server: Server
  let accepted: End[]
  let proxy: FaultProxy
  let clients: Socket[]

  beforeEach(async () => {
    accepted = []
    clients = []
    server = createServer({ allowHalfOpen: true }, (socket) => accepted.push(new End(socket)))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    proxy = await FaultProxy.start({ upstream: () => `127.0.0.1:${port}`, seed: 7 })
  })
  afterEach(async () => {
    for (const socket of [...clients, ...accepted.map((end) => end.socket)]) socket.destroy()
    await proxy.stop()
    server.close()
    await once(server, 'close')
  })

  async function connected(): Promise<{ client: End; served: End }> {
    const [host = '', port] = proxy.address.split(':')
    const socket = connect({ host, port: Number(port), allowHalfOpen: true })
    clients.push(socket)
    const client = new End(socket)
    const before = accepted.length
    await once(socket, 'connect')
    if (accepted.length === before) await once(server, 'connection')
    return { client, served: accepted.at(-1)! }
  }

  const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, at) => (at * 31) % 251))

  it('passes on what it gets, both ways, and the end of each', async () => {
    const { client, served } = await connected()
    client.socket.end(bytes)
    await served.until(() => served.ended)
    expect(served.received.equals(bytes)).to.equal(true)
    served.socket.end('answer')
    await client.until(() => client.ended)
    expect(client.received.toString()).to.equal('answer')
  })

  it('takes its time: latency and jitter', async () => {
    const { client, served } = await connected()
    proxy.set({ latencyMs: 60, jitterMs: 20 }, 'up')
    const began = performance.now()
    client.socket.write('late')
    await served.untilReceived(4)
    expect(performance.now() - began).to.be.at.least(59)
    served.socket.write('at once')
    await client.untilReceived(7)
  })

  it('is as narrow as it is told to be', async () => {
    const { client, served } = await connected()
    proxy.set({ bytesPerSecond: 1_500_000 }, 'up')
    const began = performance.now()
    client.socket.write(bytes)
    await served.untilReceived(bytes.length)
    // A piece of its own: it goes when the last one before it is through.
    client.socket.write('!')
    await served.untilReceived(bytes.length + 1)
    expect(performance.now() - began).to.be.at.least(bytes.length / 1500 - 5)
    expect(served.received.subarray(0, bytes.length).equals(bytes)).to.equal(true)
  })

  it('swallows one direction, even the end of a connection, until it is healed', async () => {
    const { client, served } = await connected()
    proxy.set({ blackhole: true }, 'down')
    client.socket.write('there')
    await served.untilReceived(5)
    served.socket.end('back')
    await served.until(() => served.socket.writableFinished)
    client.socket.write(', still there')
    await served.untilReceived(18)
    expect([client.received.length, client.ended]).to.deep.equal([0, false])
    proxy.heal()
    await client.until(() => client.ended)
    expect(client.received.toString()).to.equal('back')
  })

  it('does not tell who is cut off that the other end is gone', async () => {
    const { client, served } = await connected()
    proxy.set({ blackhole: true })
    served.socket.resetAndDestroy()
    await once(served.socket, 'close')
    client.socket.write('into nothing')
    const other = await connected()
    expect([client.socket.closed, client.ended, other.client.received.length]).to.deep.equal([false, false, 0])
    proxy.heal()
    await client.until(() => client.socket.closed)
    expect(client.broken).to.match(/ECONNRESET|EPIPE/)
  })

  it('closes one half', async () => {
    const { client, served } = await connected()
    proxy.halfClose('up')
    await served.until(() => served.ended)
    client.socket.write('lost')
    served.socket.write('still heard')
    await client.untilReceived(11)
    expect([client.received.toString(), served.received.length]).to.deep.equal(['still heard', 0])
  })

  it('resets all connections, and takes new ones', async () => {
    const first = await connected()
    proxy.reset()
    await Promise.all([
      first.client.until(() => first.client.socket.closed),
      first.served.until(() => first.served.socket.closed),
    ])
    expect([first.client.broken, first.served.broken]).to.deep.equal(['ECONNRESET', 'ECONNRESET'])
    const second = await connected()
    second.client.socket.write('again')
    await second.served.untilReceived(5)
  })

  it('resets connections whose end is being said just now', async () => {
    const { client, served } = await connected()
    proxy.halfClose('up')
    proxy.halfClose('down')
    proxy.reset()
    while (proxy.connections > 0) await turn()
    // Who has heard the end reads no more, and hears of the reset when it writes.
    client.socket.write('anybody there?')
    served.socket.write('anybody there?')
    await Promise.all([client.until(() => client.socket.closed), served.until(() => served.socket.closed)])
  })

  it('cuts a connection behind so many bytes', async () => {
    const { client, served } = await connected()
    proxy.up.cutAfter(100_001)
    client.socket.write(bytes)
    await served.until(() => served.socket.closed)
    expect(served.received.length).to.be.at.most(100_001)
    await client.until(() => client.socket.closed)
    expect([client.broken === '', proxy.up.cuts, proxy.up.passedBytes]).to.deep.equal([false, 1, 100_001])
  })

  it('changes one bit of the byte behind so many others, once', async () => {
    const { client, served } = await connected()
    proxy.up.flipAfter(123_456)
    client.socket.end(bytes)
    await served.until(() => served.ended)
    const { received } = served
    const wrong = [...bytes.keys()].filter((at) => bytes[at] !== received[at])
    expect([wrong, received.length, proxy.up.flips]).to.deep.equal([[123_456], bytes.length, 1])
    const changed = bytes[123_456]! ^ received[123_456]!
    expect(changed & (changed - 1)).to.equal(0)
  })

  it('hands a refusal on, and forgets connections that are over', async () => {
    server.close()
    const [host = '', port] = proxy.address.split(':')
    const socket = connect({ host, port: Number(port) })
    const client = new End(socket)
    await client.until(() => socket.closed)
    expect(client.broken).to.equal('ECONNRESET')
    while (proxy.connections > 0) await turn()
    server.listen(0, '127.0.0.1')
  })
})
