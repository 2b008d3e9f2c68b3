import { realpathSync } from 'node:fs'
import { TwofoldError } from '../core/errors.ts'

/**
 * Where a path leads once all symbolic links on it are followed, as bytes.
 * @throws TwofoldError `not-found`; `io` for everything else
 */
export async function realPath(path: Uint8Array): Promise<Uint8Array> {
  try {
    return new Uint8Array(realpathSync.native(Buffer.from(path), { encoding: 'buffer' }))
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === undefined) throw error
    const shown = Buffer.from(path).toString()
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      throw new TwofoldError('not-found', `there is no ${shown}`, { cause: error })
    }
    throw new TwofoldError('io', `${shown} cannot be reached (${code})`, { cause: error })
  }
}
