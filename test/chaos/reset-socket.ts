import type { Socket } from 'node:net'

/**
 * Breaks a connection so that the other end hears of a reset. One whose end is being said just now is broken as soon as
 * that was said: Node cannot reset it meanwhile (EINVAL), and would never close it, nor end itself.
 */
export function resetSocket(socket: Socket): void {
  const ending = socket.writableEnded && !socket.writableFinished && socket.writableLength === 0
  if (ending) socket.once('finish', () => socket.resetAndDestroy())
  else socket.resetAndDestroy()
}
