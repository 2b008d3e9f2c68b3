import { expect } from 'chai'
import { decadesAround, drawPlot, powerText } from '../../../../bench/series/plot.ts'

const plot = (points: readonly (readonly [number, number])[], name = 'a'): string =>
  drawPlot({ title: 'T', xTitle: 'x', yTitle: 'y', lines: [{ name, points }] })

/** Where the dots of all lines are. */
function dots(svg: string): [number, number][] {
  return [...svg.matchAll(/<circle cx="([\d.]+)" cy="([\d.]+)"/g)].map(([, x, y]) => [Number(x), Number(y)])
}

describe('a plot of a series', () => {
  it('has axes of whole powers of ten', () => {
    expect(decadesAround([3, 20, 4000])).to.deep.equal([0, 4])
    expect(decadesAround([10, 1000])).to.deep.equal([1, 3])
    expect(decadesAround([0.02, 0.5])).to.deep.equal([-2, 0])
    expect(decadesAround([7])).to.deep.equal([0, 1])
    expect(decadesAround([100])).to.deep.equal([2, 3])
  })

  it('names powers shortly', () => {
    expect([-2, 0, 1, 3, 5, 6, 9, 15].map(powerText)).to.deep.equal([
      '0.01',
      '1',
      '10',
      '1k',
      '100k',
      '1M',
      '1G',
      '1e15',
    ])
  })

  it('puts equal factors at equal distances', () => {
    const [a, b, c] = dots(
      plot([
        [10, 5],
        [100, 50],
        [1000, 500],
      ]),
    )
    expect(b![0] - a![0]).to.be.closeTo(c![0] - b![0], 0.2)
    expect(a![1] - b![1]).to.be.closeTo(b![1] - c![1], 0.2)
    expect(a![1]).to.be.above(b![1])
  })

  it('leaves out what has no logarithm, and may be empty', () => {
    expect(
      dots(
        plot([
          [10, 0],
          [100, -1],
          [0, 3],
          [1000, 2],
        ]),
      ),
    ).to.have.length(1)
    expect(dots(plot([]))).to.have.length(0)
    expect(plot([])).to.include('</svg>').and.not.to.include('NaN')
  })

  it('is XML whatever the names are', () => {
    expect(plot([[1, 1]], 'a < b & c')).to.include('a &lt; b &amp; c')
  })
})
