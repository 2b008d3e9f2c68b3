import { TwofoldError } from '../core/errors.ts'

/** Byte strings as one: each is preceded by its length in four bytes. */
export function encodeByteList(items: readonly Uint8Array[]): Uint8Array {
  const total = items.reduce((sum, item) => sum + 4 + item.length, 0)
  const out = Buffer.alloc(total)
  let at = 0
  for (const item of items) {
    at = out.writeUInt32LE(item.length, at)
    out.set(item, at)
    at += item.length
  }
  return out
}

/** @throws TwofoldError `integrity` */
export function decodeByteList(data: Uint8Array): Uint8Array[] {
  const view = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
  const items: Uint8Array[] = []
  let at = 0
  while (at < view.length) {
    if (at + 4 > view.length) throw new TwofoldError('integrity', 'the catalogue has a broken list')
    const end = at + 4 + view.readUInt32LE(at)
    if (end > view.length) throw new TwofoldError('integrity', 'the catalogue has a broken list')
    items.push(view.subarray(at + 4, end))
    at = end
  }
  return items
}

/** Equal for equal sets, whatever their order. */
export function byteSetKey(items: readonly Uint8Array[]): Uint8Array {
  const sorted = items.toSorted((a, b) => Buffer.compare(a, b))
  return encodeByteList(sorted.filter((item, index) => !isSame(item, sorted[index - 1])))
}

function isSame(item: Uint8Array, previous: Uint8Array | undefined): boolean {
  return previous !== undefined && Buffer.compare(item, previous) === 0
}
