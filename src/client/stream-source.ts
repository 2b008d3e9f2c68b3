import type { Clock } from '../core/clock.ts'
import type { TreeEntry } from '../format/tree.ts'
import type { ContentSource } from './content-reader.ts'
import type { StoredContent } from './entry-maker.ts'

/** Content that comes in pieces of any size, read in order. Each piece is let go before the next is asked for. */
export function streamSource(pieces: AsyncIterable<Uint8Array>): ContentSource {
  const iterator = pieces[Symbol.asyncIterator]()
  let rest: Uint8Array = new Uint8Array(0)
  return {
    read: async (target) => {
      while (rest.length === 0) {
        const next = await iterator.next()
        if (next.done === true) return 0
        rest = next.value
      }
      const length = Math.min(rest.length, target.length)
      target.set(rest.subarray(0, length))
      rest = rest.subarray(length)
      return length
    },
  }
}

/** The entry of content that has no file: readable by all, made now. */
export function streamEntry(name: string, content: StoredContent, clock: Clock): TreeEntry {
  const nowNs = BigInt(Math.round(clock.nowMs())) * 1_000_000n
  return {
    name: Buffer.from(name),
    type: 'file',
    mode: 0o644,
    uid: 0,
    gid: 0,
    user: '',
    group: '',
    mtimeNs: nowNs,
    ctimeNs: nowNs,
    inode: 0n,
    device: 0n,
    links: 1,
    ...content,
    target: new Uint8Array(0),
    tree: undefined,
    xattrs: [],
  }
}
