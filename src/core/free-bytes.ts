/** Buffers of up to this length may share their memory with others. */
const sharedBytesMax = 64 * 1024

/**
 * Gives memory back at once. The garbage collector counts the memory of buffers late: without this, a node that takes
 * in 300 MB/s keeps 150 MB of what it has passed on already. Small memory is left to the collector.
 *
 * @param bytes alone in their memory, as a received message is or what was compressed; nobody may use them afterwards
 */
export function freeBytes(bytes: Uint8Array): void {
  if (isAlone(bytes)) bytes.buffer.transfer(0)
}

/** Whether memory is large enough to be a buffer's own, given that it is not a part of something larger of ours. */
export function isAlone(bytes: Uint8Array): bytes is Uint8Array<ArrayBuffer> {
  return bytes.buffer.byteLength > sharedBytesMax && bytes.buffer instanceof ArrayBuffer
}
