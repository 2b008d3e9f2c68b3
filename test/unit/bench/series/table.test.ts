import { expect } from 'chai'
import { quantile } from '../../../../src/core/quantile.ts'
import { managerOptions } from '../../../../bench/series/catalogue.ts'
import { exponent, extrapolate } from '../../../../bench/series/figures.ts'
import type { Column } from '../../../../bench/series/figures.ts'
import { formatNumber, seriesLines } from '../../../../bench/series/table.ts'

describe('the figures of a series', () => {
  it('have percentiles', () => {
    const values = Array.from({ length: 100 }, (_, n) => 100 - n)
    expect([0, 0.5, 0.99, 1].map((p) => quantile(values, p))).to.deep.equal([1, 50, 99, 100])
    expect(quantile([], 0.5)).to.satisfy(Number.isNaN)
  })

  it("are taken with a manager's own options of Node", () => {
    expect(managerOptions()).to.include.members([
      '--max-semi-space-size=16',
      '--external-memory-accounted-in-global-limit',
    ])
    expect(managerOptions()).not.to.include('--heap-growing-percent=50')
  })

  it('grow with a power of x', () => {
    expect(
      exponent([
        [1, 3],
        [10, 30],
        [100, 300],
      ]),
    ).to.be.closeTo(1, 1e-9)
    expect(
      exponent([
        [1, 5],
        [10, 5],
        [1000, 5],
      ]),
    ).to.be.closeTo(0, 1e-9)
    expect(
      exponent([
        [2, 4],
        [3, 9],
        [0, 1],
        [4, undefined],
      ]),
    ).to.be.closeTo(2, 1e-9)
    expect(exponent([[2, 4]])).to.satisfy(Number.isNaN)
    expect(
      extrapolate(
        [
          [1, 3],
          [10, 30],
        ],
        1000,
      ),
    ).to.be.closeTo(3000, 1e-6)
    expect(extrapolate([], 10)).to.satisfy(Number.isNaN)
  })

  it('are shown with three digits that count', () => {
    expect([0, 0.01234, 1.5, 12.34, 123.4, 1234, undefined, NaN].map(formatNumber)).to.deep.equal([
      ...['0.00', '0.012', '1.50', '12.3', '123', '1,234', '', ''],
    ])
  })

  it('make a table that says how they grow and what they miss', () => {
    const columns: Column[] = [
      { figure: 'rss', title: 'memory', unit: 'bytes', atMost: 150e6 },
      { figure: 'cpu', title: 'CPU', unit: 'share' },
      { figure: 'rate', title: 'rate', unit: 'per second', atLeast: 50 },
    ]
    const rows = [
      { x: 1000, figures: { rss: 20e6, cpu: 0.3, rate: 60 } },
      { x: 10_000, figures: { rss: 200e6, cpu: 0.3, rate: undefined } },
    ]
    expect(seriesLines('files', columns, rows, 100_000)).to.deep.equal([
      '    files  memory MB   CPU %  rate /s',
      '-------------------------------------',
      '    1,000       20.0    30.0     60.0',
      '   10,000        200    30.0',
      ' grows as     x^1.00  x^0.00',
      '≈ 100,000      2,000    30.0',
      'missed: memory is 200 MB at 10,000 files, and should be at most 150',
    ])
  })
})
