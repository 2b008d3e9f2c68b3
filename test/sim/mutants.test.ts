import { expect } from 'chai'
import { readFileSync } from 'node:fs'
import { applyPatch, mutants } from './mutants.ts'

/** The mutants themselves are run by `make sim-mutants`: each takes minutes when nothing notices it. */
describe('simulation: protocol mutants', () => {
  for (const { name, patches } of mutants) {
    it(`${name} still removes its rule`, () => {
      const sources = new Map<string, string>()
      for (const patch of patches) {
        const url = new URL(`../../src/${patch.file}`, import.meta.url)
        const source = sources.get(patch.file) ?? readFileSync(url, 'utf8')
        sources.set(patch.file, applyPatch(source, patch))
      }
    })
  }

  it('are at least twenty, each with a name of its own', () => {
    const names = new Set(mutants.map(({ name }) => name))
    expect(names.size).to.equal(mutants.length)
    expect(names.size).to.be.at.least(20)
  })
})
