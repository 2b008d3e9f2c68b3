import { TwofoldError } from '../core/errors.ts'
import { asBuffer } from '../core/ids.ts'
import { nameBytesMax } from '../core/limits.ts'
import type { TargetPath } from './restore-target.ts'

/** @throws TwofoldError `integrity` for a name that could lead anywhere but to an entry of its own directory. */
export function checkTargetPath(path: TargetPath): void {
  for (const name of path) checkTargetName(name)
}

export function checkTargetName(name: Uint8Array): void {
  const reason = whyRefused(name)
  if (reason === undefined) return
  const shown = JSON.stringify(asBuffer(name.subarray(0, 64)).toString('utf8'))
  throw new TwofoldError('integrity', `the name ${shown} ${reason}; it is not restored`)
}

function whyRefused(name: Uint8Array): string | undefined {
  if (name.length === 0) return 'is empty'
  if (name.length > nameBytesMax) return `is longer than ${nameBytesMax} bytes`
  if (name.includes(0x2f)) return 'has a slash in it'
  if (name.includes(0)) return 'has a NUL in it'
  if (name[0] === 0x2e && (name.length === 1 || (name.length === 2 && name[1] === 0x2e))) return 'is no name of its own'
  return undefined
}
