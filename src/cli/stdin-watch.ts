import type { Readable } from 'node:stream'

/**
 * For whoever starts servers and must not leave them behind: with `TWOFOLD_STOP_WITH_STDIN=1` a server stops when its
 * stdin ends, which the kernel sees to when the process that holds the other end dies, in whatever way.
 */
export function untilStdinEnds(
  stdin: Readable,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  if (environment['TWOFOLD_STOP_WITH_STDIN'] !== '1') return new Promise(() => undefined)
  return new Promise((resolve) => {
    stdin.once('end', resolve)
    stdin.once('error', () => resolve())
    stdin.resume()
  })
}
