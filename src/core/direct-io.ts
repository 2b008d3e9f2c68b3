/** What offsets and lengths must be a multiple of wherever a disk is read or written directly. */
export const blockBytes = 4096

/** Memory for that: it begins where a page of the system does, as a buffer that may be resized has pages of its own. */
export function pageAligned(lengthBytes: number): Uint8Array {
  return new Uint8Array(new ArrayBuffer(lengthBytes, { maxByteLength: lengthBytes }))
}

/** How many bytes after `offset` the next block begins; 0 when one begins there. */
export function bytesToBlock(offset: number): number {
  return (blockBytes - (offset % blockBytes)) % blockBytes
}
