import type { Client } from './client.ts'
import type { ConnectOptions } from './main.ts'

/**
 * A client of the cluster whose managers these are. Nothing is connected before it is needed; `close` it in the end.
 * gRPC is loaded only now: what the caller began before goes on meanwhile.
 * @throws TwofoldError `invalid-argument` when an address is not `host:port`, or there is none
 */
export async function connectClient(options: ConnectOptions): Promise<Client> {
  const main = await import('./main.ts')
  return main.createClient(options)
}
