/** Control characters, the ones that change the direction of text, and what a terminal may take for a line's end. */
export const unsafeCharacters = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g
const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

const short: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/** Text for a terminal: nothing in it can move the cursor, change colours or hide a part of it. */
export function safeText(text: string): string {
  return text.replace(unsafeCharacters, escapeCharacter)
}

/** A name or path for a terminal: bytes that are not UTF-8 are shown as `\xff`, control characters escaped. */
export function safePath(path: Uint8Array): string {
  if (isUtf8(path)) return safeText(Buffer.from(path).toString('utf8'))
  let shown = ''
  for (let at = 0; at < path.length;) {
    const length = sequenceLength(path, at)
    shown += length === 0 ? hexEscape(path[at] ?? 0) : safeText(decode(path.subarray(at, at + length)))
    at += Math.max(1, length)
  }
  return shown
}

/** Hebrew, Arabic and the like: a terminal may turn what stands beside them around. */
const rightToLeft = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u

/** Safe text between other text: one that is written from right to left keeps its place. */
export function isolate(safe: string): string {
  return rightToLeft.test(safe) ? `\u2068${safe}\u2069` : safe
}

export function isUtf8(bytes: Uint8Array): boolean {
  try {
    strictUtf8.decode(bytes)
    return true
  } catch {
    // Throwing is how the decoder says no.
    return false
  }
}

function decode(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8')
}

/** How many bytes the character at `at` takes; 0 when it is none. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at] ?? 0
  const length = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2
  return at + length <= bytes.length && isUtf8(bytes.subarray(at, at + length)) ? length : 0
}

function escapeCharacter(character: string): string {
  const code = character.charCodeAt(0)
  return short[character] ?? (code < 0x100 ? hexEscape(code) : `\\u${code.toString(16).padStart(4, '0')}`)
}

function hexEscape(byte: number): string {
  return `\\x${byte.toString(16).padStart(2, '0')}`
}
