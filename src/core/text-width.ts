/** Columns that a terminal gives to a text, near enough: East Asian wide characters take two, combining ones none. */
export function textWidth(text: string): number {
  let width = 0
  for (const character of text) width += characterWidth(character)
  return width
}

const noWidth = /^[\p{Mn}\p{Me}\p{Cf}]$/u

export function characterWidth(character: string): number {
  const code = character.codePointAt(0) ?? 0
  if (code < 0x300) return 1
  if (isWide(code)) return 2
  return noWidth.test(character) ? 0 : 1
}

/** The beginning of a text that fits in `width` columns; what is left out shows as `…`. */
export function cutText(text: string, width: number): string {
  if (textWidth(text) <= width) return text
  if (width <= 0) return ''
  return `${firstColumns(text, width - 1).trimEnd()}…`
}

/** The end of a text that fits: the end of a path says more than its beginning. */
export function cutTextLeft(text: string, width: number): string {
  if (textWidth(text) <= width) return text
  if (width <= 0) return ''
  const kept: string[] = []
  let left = width - 1
  for (const character of [...text].reverse()) {
    left -= characterWidth(character)
    if (left < 0) break
    kept.unshift(character)
  }
  return `…${kept.join('')}`
}

export function padText(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  const space = ' '.repeat(Math.max(0, width - textWidth(text)))
  return align === 'left' ? text + space : space + text
}

function firstColumns(text: string, width: number): string {
  let kept = ''
  let left = width
  for (const character of text) {
    left -= characterWidth(character)
    if (left < 0) break
    kept += character
  }
  return kept
}

function isWide(code: number): boolean {
  if (code < 0x1100) return false
  return (
    code <= 0x115f ||
    (code >= 0x2e80 && code <= 0xa4cf) ||
    (code >= 0xac00 && code <= 0xd7a3) ||
    (code >= 0xf900 && code <= 0xfaff) ||
    (code >= 0xfe30 && code <= 0xfe6f) ||
    (code >= 0xff00 && code <= 0xff60) ||
    (code >= 0x1f300 && code <= 0x1faff) ||
    (code >= 0x20000 && code <= 0x3fffd)
  )
}
