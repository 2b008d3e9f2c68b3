import { expect } from 'chai'
import { drawScreen } from '../../../../bench/terminal/draw-screen.ts'
import { TerminalScreen } from '../../../../bench/terminal/terminal-screen.ts'

/** What is drawn of what a terminal of 20 by 4 was sent: each text with its attributes, each ground. */
function drawn(written: string): { texts: string[]; grounds: string[]; svg: string } {
  const screen = new TerminalScreen(20, 4)
  screen.write(written)
  const svg = drawScreen({ title: 'a title', columns: screen.columns, cells: screen.cells() })
  const body = svg.slice(svg.indexOf('a title</text>'))
  const texts = [...body.matchAll(/<text x="([\d.]+)" y="([\d.]+)"[^>]*preserve"([^>]*)>([^<]*)<\/text>/g)]
  const grounds = [...body.matchAll(/<rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="18" fill="([^"]*)"\/>/g)]
  return {
    texts: texts.map(([, x, y, look, text]) => `${x},${y}${look}: ${text}`),
    grounds: grounds.map(([, x, y, width, fill]) => `${x},${y} ${width} ${fill}`),
    svg,
  }
}

describe('the picture of a terminal', () => {
  it('has every run of cells where it is on the grid, and nothing of blank ones', () => {
    expect(drawn('one   two\r\n\r\n    three').texts).to.deep.equal(['16,57.5: one   two', '49.6,93.5: three'])
  })

  it('has the colours and the weight of the cells', () => {
    const { texts } = drawn('\x1b[31mred\x1b[0m \x1b[1mbold\x1b[22m \x1b[1;32mboth\x1b[39mbold\x1b[0m')
    expect(texts).to.deep.equal([
      '16,57.5 fill="#ff7b72": red',
      '49.6,57.5 font-weight="bold": bold',
      '91.6,57.5 font-weight="bold" fill="#7ee787": both',
      '125.2,57.5 font-weight="bold": bold',
    ])
  })

  it('has the ground of coloured and inverse cells, blank ones too', () => {
    expect(drawn('\x1b[44m  \x1b[0m \x1b[7mx\x1b[0m')).to.deep.include({
      grounds: ['16,44 16.8 #79c0ff', '41.2,44 8.4 #c9d1d9'],
      texts: ['41.2,57.5 fill="#0d1117": x'],
    })
  })

  it('is XML, whatever is on the screen', () => {
    const screen = new TerminalScreen(20, 1)
    screen.write('<a href="&">')
    const svg = drawScreen({ title: '<&>\x07', columns: 20, cells: screen.cells() })
    expect(svg).to.include('&lt;a href=&quot;&amp;&quot;&gt;').and.to.include('<title>&lt;&amp;&gt; </title>')
  })

  it('is as large as the terminal', () => {
    expect(drawn('').svg).to.include('viewBox="0 0 200 132"')
  })
})
