/** How the characters of a cell look; colours are numbers from 0 to 15, black to bright white. */
export interface CellStyle {
  readonly bold: boolean
  readonly inverse: boolean
  readonly colour: number | undefined
  readonly background: number | undefined
}

export interface Cell {
  readonly text: string
  readonly style: CellStyle
}

export const plainStyle: CellStyle = { bold: false, inverse: false, colour: undefined, background: undefined }

export const blankCell: Cell = { text: ' ', style: plainStyle }

/** The style after an `m` sequence with these numbers; what is not known changes nothing. */
export function applyRendition(style: CellStyle, numbers: readonly number[]): CellStyle {
  return numbers.reduce(applyOne, style)
}

function applyOne(style: CellStyle, number: number): CellStyle {
  const { bold, inverse, colour, background } = style
  const either = (next: Partial<CellStyle>): CellStyle => ({ bold, inverse, colour, background, ...next })
  if (number === 0) return plainStyle
  if (number === 1 || number === 22) return either({ bold: number === 1 })
  if (number === 7 || number === 27) return either({ inverse: number === 7 })
  if (number === 39) return either({ colour: undefined })
  if (number === 49) return either({ background: undefined })
  const [tens, digit] = [Math.floor(number / 10), number % 10]
  if (digit > 7) return style
  if (tens === 3 || tens === 9) return either({ colour: digit + (tens === 9 ? 8 : 0) })
  if (tens === 4 || tens === 10) return either({ background: digit + (tens === 10 ? 8 : 0) })
  return style
}
