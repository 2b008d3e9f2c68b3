import { TwofoldError, isTwofoldError } from '../core/errors.ts'
import { isWithin } from '../core/within-folder.ts'
import type { AgentHost } from './agent-host.ts'

/** What an agent does not allow, whoever asks. */
export class Refusal extends TwofoldError {
  constructor(message: string) {
    super('permission-denied', message)
  }
}

const shown = (path: Uint8Array): string => Buffer.from(path).toString()

/**
 * Where a path really is, provided that this is below one of the allowed folders, or one of them itself. What is
 * outside is not even said to exist.
 * @throws Refusal; TwofoldError `not-found`, `io`
 */
export async function allowedPath(
  host: Pick<AgentHost, 'realPath'>,
  allow: readonly Uint8Array[],
  path: Uint8Array,
): Promise<Uint8Array> {
  const folders: Uint8Array[] = []
  for (const folder of allow) {
    try {
      folders.push(await host.realPath(folder))
    } catch (error) {
      // One that is not there, a disk that is not mounted, allows nothing.
      if (!isTwofoldError(error, 'not-found', 'io')) throw error
    }
  }
  let real: Uint8Array
  try {
    real = await host.realPath(path)
  } catch (error) {
    if (isTwofoldError(error) && !allow.some((folder) => isBelow(folder, path))) throw refused(allow, path)
    throw error
  }
  if (folders.some((folder) => isBelow(folder, real))) return real
  throw refused(allow, path)
}

function refused(allow: readonly Uint8Array[], path: Uint8Array): Refusal {
  const folders = allow.map(shown).join(', ')
  return new Refusal(
    `${shown(path)} does not lie below what this agent allows (${folders}): start it with another --allow`,
  )
}

/** Whether a path is a folder or lies below it; one with `..` in it lies nowhere. */
export function isBelow(folder: Uint8Array, path: Uint8Array): boolean {
  const text = Buffer.from(path).toString('latin1')
  if (text.includes('/../') || text.endsWith('/..')) return false
  return isWithin(path, folder)
}
