import { expect } from 'chai'
import { Newcomers } from '../../../src/manager/newcomers.ts'

describe('newcomers', () => {
  const nodes = [4, 1, 3, 2]
  const logs = (...lengths: number[]): Map<number, number> => new Map(lengths.map((length, at) => [at + 1, length]))

  it('count when enough of those that were there before have the entry with which they joined', () => {
    const newcomers = new Newcomers([[4, 30]])
    expect(newcomers.settle({ nodes, logs: logs(29, 30, 29, 99), wanted: 2 })).to.deep.equal([])
    expect(newcomers.settle({ nodes, logs: logs(30, 30, 29, 0), wanted: 2 })).to.deep.equal([4])
    expect(newcomers.has(4)).to.equal(false)
  })

  it('do not vouch for themselves, nor for those that were there before them', () => {
    const newcomers = new Newcomers([[2, 10]])
    expect(newcomers.settle({ nodes, logs: logs(9, 10, 10, 10), wanted: 1 })).to.deep.equal([])
  })

  it('vouch for the next ones as soon as they count, in whatever order they were told of', () => {
    const newcomers = new Newcomers([[3, 20]])
    newcomers.add(2, 10)
    const known = { nodes: [1, 2, 3], logs: logs(20, 20, 0), wanted: 2 }
    expect(newcomers.settle(known)).to.deep.equal([2, 3])
    expect(newcomers.size).to.equal(0)
  })

  it('need no more than there are before them, and nobody once they were removed', () => {
    const newcomers = new Newcomers([
      [1, 5],
      [2, 10],
      [9, 50],
    ])
    expect(newcomers.settle({ nodes: [1, 2], logs: logs(10, 0), wanted: 3 })).to.deep.equal([1, 2, 9])
  })

  it('are a thousand at once in time for their next heartbeats', () => {
    const many = Array.from({ length: 1000 }, (_, at) => at + 1)
    const newcomers = new Newcomers(many.slice(2).map((node) => [node, node] as const))
    const heard = new Map<number, number>()
    let settled = 0
    for (const node of many) {
      heard.set(node, 1000)
      settled += newcomers.settle({ nodes: many, logs: heard, wanted: 2 }).length
    }
    expect(settled).to.equal(998)
  })
})
