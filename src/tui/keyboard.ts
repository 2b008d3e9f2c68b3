import type { Clock } from '../core/clock.ts'
import { tuiEscapeMs } from '../core/client-limits.ts'
import { KeyParser } from './key-parser.ts'
import type { Key } from './key-parser.ts'
import type { TerminalInput } from './tui-terminal.ts'

export interface KeyboardListener {
  readonly onKey: (key: Key) => void
  /** The terminal is gone. */
  readonly onClosed: () => void
}

/** Listens to the keyboard until what it returns is called. */
export function listenToKeyboard(input: TerminalInput, clock: Clock, listener: KeyboardListener): () => void {
  const parser = new KeyParser()
  let waiting = new AbortController()
  const tell = (keys: readonly Key[]): void => {
    for (const key of keys) listener.onKey(key)
  }
  const onData = (text: string): void => {
    waiting.abort()
    waiting = new AbortController()
    tell(parser.push(text))
    if (!parser.waits) return
    void clock.sleep(tuiEscapeMs, waiting.signal).then(
      () => tell(parser.flush()),
      // The rest of the sequence came.
      () => undefined,
    )
  }
  input.setRawMode(true)
  input.setEncoding('utf8')
  input.on('data', onData)
  input.on('end', listener.onClosed)
  input.on('error', listener.onClosed)
  input.resume()
  return () => {
    waiting.abort()
    input.off('data', onData)
    input.off('end', listener.onClosed)
    // Errors of a terminal that is gone go on being nobody's business.
    input.pause()
    input.setRawMode(false)
  }
}
