import { expect } from 'chai'
import { readText } from './source-tree.ts'

const document = 'docs/guarantees.md'
const sectionsOfPromises = ['What is promised', 'Under which faults']
/** `path` "name of a test" */
const reference = /`(test\/[^`]+)` "((?:[^"\\]|\\.)+)"/g

interface Promised {
  readonly sentence: string
  readonly tests: readonly { readonly path: string; readonly name: string }[]
}

/** The items of the sections that promise something, each with the tests below it. */
function promises(): Promised[] {
  const sections = readText(document)
    .split(/^## /m)
    .filter((section) => sectionsOfPromises.some((title) => section.startsWith(`${title}\n`)))
  return sections.flatMap((section) =>
    section
      .split(/^- /m)
      .slice(1)
      .map((item) => ({
        sentence: item.split('\n')[0] ?? '',
        tests: [...item.matchAll(reference)].map(([, path = '', name = '']) => ({ path, name })),
      })),
  )
}

describe('what is promised', () => {
  it('is held by at least one test each', () => {
    expect(promises().length).to.be.greaterThan(20)
    expect(promises().filter(({ tests }) => tests.length === 0)).to.deep.equal([])
  })

  it('names tests that there are', () => {
    const missing = promises()
      .flatMap(({ tests }) => tests)
      .filter(({ path, name }) => !titlesIn(path).has(name))
    expect(missing).to.deep.equal([])
  })

  it('has no line below a promise that is not understood', () => {
    const odd = readText(document)
      .split('\n')
      .filter((line) => line.startsWith('  - ') && !/^ {2}- `test\/[^`]+` "(?:[^"\\]|\\.)+"$/.test(line))
    expect(odd).to.deep.equal([])
  })
})

/** What the tests of a file are called, as it is written there. */
function titlesIn(path: string): Set<string> {
  const titles = readText(path).matchAll(/\bit\(\s*(['"`])((?:(?!\1)[^\\]|\\.)*)\1/g)
  return new Set([...titles].map(([, quote, title = '']) => (quote === '"' ? title : title.replaceAll('"', '\\"'))))
}
