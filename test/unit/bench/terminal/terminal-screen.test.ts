import { expect } from 'chai'
import { plainStyle } from '../../../../bench/terminal/cell.ts'
import { TerminalScreen } from '../../../../bench/terminal/terminal-screen.ts'

function shown(...written: string[]): string[] {
  const screen = new TerminalScreen(5, 3)
  for (const text of written) screen.write(text)
  expect(screen.unknown).to.deep.equal([])
  return screen.lines()
}

describe('the screen of a terminal', () => {
  it('goes on in the next row, and moves up at its end', () => {
    expect(shown('abcdefg')).to.deep.equal(['abcde', 'fg', ''])
    expect(shown('1\r\n2\r\n3\r\n4')).to.deep.equal(['2', '3', '4'])
    expect(shown('12345\r\nx')).to.deep.equal(['12345', 'x', ''])
  })

  it('piles up what is too long where it does not wrap', () => {
    expect(shown('\x1b[?7labcdefg')).to.deep.equal(['abcdg', '', ''])
  })

  it('draws a line again', () => {
    expect(shown('10 %', '\r20', '\r5\x1b[K')).to.deep.equal(['5', '', ''])
  })

  it('takes sequences that come in pieces', () => {
    expect(shown('a\x1b', '[2;', '3Hb')).to.deep.equal(['a', '  b', ''])
  })

  it('remembers how each cell looks', () => {
    const screen = new TerminalScreen(9, 1)
    screen.write('a\x1b[1;91;44mb\x1b[22;7mc\x1b[27;39;49md\x1b[38;9m')
    const styles = screen.cells()[0]?.map(({ style }) => style)
    const coloured = { ...plainStyle, colour: 9, background: 4 }
    const inverse = { ...coloured, inverse: true }
    expect(styles).to.deep.equal([plainStyle, { ...coloured, bold: true }, inverse, plainStyle])
    expect(screen.coloured).to.equal(true)
  })
})
