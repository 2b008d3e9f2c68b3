import { expect } from 'chai'
import ts from 'typescript'
import { placeOf, productFiles, walk } from './source-tree.ts'
import type { ParsedFile } from './source-tree.ts'

const isSystem = (path: string): boolean => path.startsWith('src/system/')
const mayUseProcess = (path: string): boolean => /^src\/(system|cli)\/|\/main\.ts$/.test(path)

/** `object.property` that reads the clock, sleeps or draws chance. */
const members = new Set([
  'Date.now',
  'performance.now',
  'performance.timeOrigin',
  'process.hrtime',
  'process.uptime',
  'AbortSignal.timeout',
  'Math.random',
])

/** Functions that do so under their own names. */
const functions = new Set([
  'setTimeout',
  'setInterval',
  'setImmediate',
  'randomUUID',
  'randomBytes',
  'randomInt',
  'randomFillSync',
  'getRandomValues',
])

function isBanned(node: ts.Node): boolean {
  if (ts.isPropertyAccessExpression(node)) {
    return members.has(`${node.expression.getText()}.${node.name.text}`) || functions.has(node.name.text)
  }
  if (ts.isNewExpression(node)) {
    return node.expression.getText() === 'Date' && (node.arguments?.length ?? 0) === 0
  }
  if (ts.isIdentifier(node)) {
    const called = ts.isCallExpression(node.parent) || ts.isImportSpecifier(node.parent)
    return called && functions.has(node.text)
  }
  return false
}

function places(files: readonly ParsedFile[], banned: (node: ts.Node) => boolean): string[] {
  const found: string[] = []
  for (const file of files) {
    walk(file.tree, (node) => {
      if (banned(node)) found.push(`${placeOf(file, node)}: ${node.getText().slice(0, 60)}`)
    })
  }
  return found
}

function parse(text: string): ParsedFile {
  const tree = ts.createSourceFile('x.ts', text, ts.ScriptTarget.ESNext, true)
  return { path: 'x.ts', text, lines: text.split('\n'), tree }
}

describe('what is not deterministic', () => {
  it('is only in src/system', () => {
    const files = productFiles().filter(({ path }) => !isSystem(path))
    expect(places(files, isBanned)).to.deep.equal([])
  })

  it('is recognised', () => {
    const bad = [
      'Date.now()',
      'new Date()',
      'setTimeout(f, 1)',
      'Math.random()',
      'crypto.randomUUID()',
      'randomBytes(3)',
    ]
    for (const text of [...bad, 'AbortSignal.timeout(5)', 'import { setTimeout } from "node:timers/promises"']) {
      expect(places([parse(text)], isBanned), text).not.to.deep.equal([])
    }
    for (const text of ['new Date(5)', 'clock.now()', 'const setTimeoutMs = 5', 'random.bytes(4)']) {
      expect(places([parse(text)], isBanned), text).to.deep.equal([])
    }
  })
})

describe('the process and its terminal', () => {
  it('are touched only by the command line, mains and src/system', () => {
    const banned = (node: ts.Node): boolean =>
      ts.isPropertyAccessExpression(node) &&
      ts.isIdentifier(node.expression) &&
      ['process', 'console'].includes(node.expression.text)
    const files = productFiles().filter(({ path }) => !mayUseProcess(path))
    expect(places(files, banned)).to.deep.equal([])
  })
})
