import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'

const given = new Set<number>()

/**
 * The first of `count` ports in a row on 127.0.0.1 with nobody on them; none is given twice. They lie below the range
 * from which systems take the ports of outgoing connections (32768 and up on Linux). A connection, even of somebody who
 * looks for that very server, may get such a port while its server is not there.
 */
export async function freePorts(count = 1): Promise<number> {
  for (;;) {
    const first = randomInt(10_000, 32_000)
    const ports = Array.from({ length: count }, (_, at) => first + at)
    if (ports.some((port) => given.has(port))) continue
    for (const port of ports) given.add(port)
    if ((await Promise.all(ports.map(isFree))).every(Boolean)) return first
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  try {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
  } catch {
    return false
  }
  server.close()
  await once(server, 'close')
  return true
}
