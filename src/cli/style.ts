type Paint = (text: string) => string

/** Colours, where they are wanted. */
export interface Style {
  readonly bold: Paint
  readonly dim: Paint
  readonly red: Paint
  readonly green: Paint
  readonly yellow: Paint
}

const plain: Paint = (text) => text

export const plainStyle: Style = { bold: plain, dim: plain, red: plain, green: plain, yellow: plain }

const sgr =
  (code: number): Paint =>
  (text) =>
    `\x1b[${code}m${text}\x1b[0m`

export const colourStyle: Style = { bold: sgr(1), dim: sgr(90), red: sgr(31), green: sgr(32), yellow: sgr(33) }
