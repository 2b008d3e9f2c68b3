/** Buffers of up to this length may share their memory with others. */
const sharedBytesMax = 64 * 1024

/**
 * Gives memory back at once. The garbage collector counts the memory of buffers late: without this, a node that takes
 * in 300 MB/s keeps 150 MB of what it has passed on already. Small memory is left to the collector.
 *
 * @param bytes alone in their memory, as a received message is or what was compressed; nobody may use them afterwards
 */
export function freeBytes({ buffer }: Uint8Array): void {
  if (buffer.byteLength > sharedBytesMax && buffer instanceof ArrayBuffer) buffer.transfer(0)
}
