import { SeededStream } from './seeded-stream.ts'

/**
 * What a file is full of: `random` cannot be compressed, `text` is phrases as in prose or source code, `records` are
 * rows of fixed length of which a part varies, as in a database.
 */
export type ContentKind = 'random' | 'text' | 'records'

const phraseCount = 4096
const recordBytes = 64
/** Per record; the rest is the same in all, but for a counter. */
const recordRandomBytes = 20

/** Overwrites the whole of `target` with content of this kind. */
export function fillContent(kind: ContentKind, random: SeededStream, target: Buffer): void {
  if (kind === 'random') random.fill(target)
  else if (kind === 'text') fillText(random, target)
  else fillRecords(random, target)
}

let phrases: readonly Buffer[] | undefined

/** The language of all texts; every seed says something else in the same words. */
function phrasesOfTheLanguage(): readonly Buffer[] {
  if (phrases !== undefined) return phrases
  const random = new SeededStream('language')
  const syllables = Array.from({ length: 200 }, () =>
    String.fromCharCode(...Array.from({ length: 2 + random.below(3) }, () => 97 + random.below(26))),
  )
  const word = (): string =>
    Array.from({ length: 1 + random.below(3) }, () => syllables[random.below(syllables.length)]).join('')
  const ends = [' ', ' ', ' ', ', ', '.\n', '(', ') ', ' = ', ';\n  ']
  phrases = Array.from({ length: phraseCount }, () => {
    const words = Array.from({ length: 1 + random.below(3) }, word).join(' ')
    return Buffer.from(words + (ends[random.below(ends.length)] ?? ''))
  })
  return phrases
}

function fillText(random: SeededStream, target: Buffer): void {
  const language = phrasesOfTheLanguage()
  for (let at = 0; at < target.length;) {
    // Squared, because some words are more frequent than others.
    const phrase = language[Math.floor(random.fraction() ** 2 * phraseCount)] as Buffer
    const room = target.length - at
    target.set(phrase.length <= room ? phrase : phrase.subarray(0, room), at)
    at += phrase.length
  }
}

function fillRecords(random: SeededStream, target: Buffer): void {
  const record = Buffer.alloc(recordBytes)
  const varying = record.subarray(4, 4 + recordRandomBytes)
  for (let at = 0, number = 0; at < target.length; at += recordBytes, number++) {
    record.writeUInt32LE(number)
    for (let byte = 0; byte < recordRandomBytes; byte += 4) varying.writeUInt32LE(random.uint32(), byte)
    target.set(record.subarray(0, Math.min(recordBytes, target.length - at)), at)
  }
}
