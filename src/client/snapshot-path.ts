import { asBuffer } from '../core/ids.ts'

export const rootPath: Uint8Array = Buffer.from('/')

/** The names of a path, without empty ones and `.`. */
export function splitNames(path: Uint8Array): Uint8Array[] {
  const names: Uint8Array[] = []
  const bytes = asBuffer(path)
  for (let start = 0; start <= bytes.length;) {
    const found = bytes.indexOf(0x2f, start)
    const end = found === -1 ? bytes.length : found
    const name = bytes.subarray(start, end)
    if (name.length > 0 && !(name.length === 1 && name[0] === 0x2e)) names.push(name)
    start = end + 1
  }
  return names
}

/** A path for messages to people. */
export function showPath(path: Uint8Array): string {
  return asBuffer(path).toString('utf8')
}
