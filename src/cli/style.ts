/** Colours, where they are wanted. */
export interface Style {
  bold(text: string): string
  dim(text: string): string
  red(text: string): string
  green(text: string): string
  yellow(text: string): string
}

const plain = (text: string): string => text

export const plainStyle: Style = { bold: plain, dim: plain, red: plain, green: plain, yellow: plain }

const sgr =
  (code: number) =>
  (text: string): string =>
    `\x1b[${code}m${text}\x1b[0m`

export const colourStyle: Style = { bold: sgr(1), dim: sgr(90), red: sgr(31), green: sgr(32), yellow: sgr(33) }
