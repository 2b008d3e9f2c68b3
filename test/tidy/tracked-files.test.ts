import { homedir, hostname } from 'node:os'
import { expect } from 'chai'
import { projectFiles, readText, root, sizeOf } from './source-tree.ts'

const fileBytesMax = 1024 * 1024

/** Files whose text somebody wrote, or a tool that could have put this machine into it. */
const texts = projectFiles().filter((path) => !/\.(png|jpg|gif|svg|wasm|pack|bin)$/.test(path))

function mentions(pattern: RegExp): string[] {
  return texts.flatMap((path) =>
    readText(path)
      .split('\n')
      .flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1}: ${line.trim().slice(0, 80)}`] : [])),
  )
}

const literal = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')

describe('the files of the project', () => {
  it('are no larger than 1 MiB', () => {
    expect(projectFiles().filter((path) => sizeOf(path) > fileBytesMax)).to.deep.equal([])
  })

  it('do not know where they are', () => {
    // A short place, such as `/src`, may also be a word.
    for (const place of [root, homedir()].filter((path) => path.split('/').length > 2)) {
      expect(mentions(new RegExp(`(?<![\\w/.-])${literal(place)}(?![\\w-])`)), place).to.deep.equal([])
    }
  })

  it('name no registry that packages came from', () => {
    expect(mentions(/"resolved"[:]|registry[.](npmjs|yarnpkg)|\bregistry ?= ?http[s:]|_auth[T]oken/)).to.deep.equal([])
  })

  it('do not name this machine', () => {
    const name = hostname()
    // A machine may be called like a word.
    if (name.length >= 8) expect(mentions(new RegExp(`\\b${literal(name)}\\b`))).to.deep.equal([])
  })

  it('hold nothing that is generated', () => {
    expect(projectFiles().filter((path) => /^(dist|src\/gen|node_modules|coverage)\//.test(path))).to.deep.equal([])
  })
})
