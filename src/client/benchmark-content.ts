import type { Random } from '../core/random.ts'

const words = 256
const wordBytesMax = 12

/**
 * Bytes that compress about as well as text: words of a small vocabulary in no order.
 * @param lengthBytes how many
 */
export function textLikeBytes(random: Random, lengthBytes: number): Uint8Array {
  const vocabulary = Array.from({ length: words }, () => {
    const [length = 0, ...letters] = random.bytes(1 + wordBytesMax)
    return Buffer.from([...letters.slice(0, 2 + (length % (wordBytesMax - 2))).map((letter) => 97 + (letter % 26)), 32])
  })
  const text = Buffer.allocUnsafeSlow(lengthBytes)
  // Each word has two bytes at least, so this many choices are enough.
  const choices = random.bytes(Math.ceil(lengthBytes / 2))
  let used = 0
  for (let at = 0; used < lengthBytes; at++) {
    const word = vocabulary[choices[at % choices.length] ?? 0] as Buffer
    used += word.copy(text, used)
  }
  return text
}
