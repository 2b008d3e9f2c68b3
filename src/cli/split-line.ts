/** The words of a command line as far as it was typed, quotes and backslashes taken away; the last may be empty. */
export function splitLine(line: string): string[] {
  const words: string[] = []
  let word = ''
  let begun = false
  let quote = ''
  for (let at = 0; at < line.length; at++) {
    const character = line[at] ?? ''
    if (character === '\\' && quote !== "'" && at + 1 < line.length) {
      word += line[++at] ?? ''
      begun = true
    } else if (quote !== '') {
      if (character === quote) quote = ''
      else word += character
    } else if (character === '"' || character === "'") {
      quote = character
      begun = true
    } else if (/\s/.test(character)) {
      if (begun) words.push(word)
      word = ''
      begun = false
    } else {
      word += character
      begun = true
    }
  }
  return [...words, word]
}
