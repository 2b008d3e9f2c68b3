import { expect } from 'chai'
import ts from 'typescript'
import { placeOf, productFiles, typeScriptFiles, walk } from './source-tree.ts'
import type { ParsedFile } from './source-tree.ts'

const fileLinesMax = 400
const functionLinesMax = 70
const lineCharactersMax = 120

/** Functions that are longer than that, by `path function`, each with its reason. */
const longFunctions: Readonly<Record<string, string>> = {}

/** Names that say nothing about what is inside. */
const vagueNames = /^(utils?|helpers?|common|misc|types|constants|shared|lib|tools?)$/

const nameOf = (path: string): string => (path.split('/').pop() ?? '').replace(/\.(test|contract)?\.?tsx?$/, '')

type FunctionNode = ts.FunctionDeclaration | ts.MethodDeclaration | ts.ArrowFunction | ts.FunctionExpression

function isFunction(node: ts.Node): node is FunctionNode {
  const { isFunctionDeclaration, isMethodDeclaration, isArrowFunction, isFunctionExpression } = ts
  return isFunctionDeclaration(node) || isMethodDeclaration(node) || isArrowFunction(node) || isFunctionExpression(node)
}

function functionName(node: FunctionNode): string {
  if (node.name !== undefined) return node.name.getText()
  return ts.isVariableDeclaration(node.parent) ? node.parent.name.getText() : '(anonymous)'
}

function linesOf(file: ParsedFile, node: ts.Node): number {
  const line = (position: number): number => file.tree.getLineAndCharacterOfPosition(position).line
  return line(node.getEnd()) - line(node.getStart(file.tree)) + 1
}

describe('files', () => {
  it(`have at most ${fileLinesMax} lines`, () => {
    const long = typeScriptFiles().filter(
      ({ path, lines }) => !path.startsWith('test/') && lines.length > fileLinesMax + 1,
    )
    expect(long.map(({ path, lines }) => `${path} has ${lines.length - 1}`)).to.deep.equal([])
  })

  it(`have at most ${lineCharactersMax} characters in a line`, () => {
    const wide = typeScriptFiles().flatMap(({ path, lines }) =>
      lines.flatMap((line, index) => (line.length > lineCharactersMax ? [`${path}:${index + 1}`] : [])),
    )
    expect(wide).to.deep.equal([])
  })

  it('are named in kebab-case, after something', () => {
    const odd = typeScriptFiles().filter(({ path }) => {
      const name = nameOf(path)
      return !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name) || vagueNames.test(name)
    })
    expect(odd.map(({ path }) => path)).to.deep.equal([])
  })

  it('export by name only', () => {
    const found: string[] = []
    for (const file of typeScriptFiles()) {
      // Mocha takes a reporter from nothing else.
      if (file.path === 'test/support/reporter.ts') continue
      walk(file.tree, (node) => {
        if (
          ts.isExportAssignment(node) ||
          (node.kind === ts.SyntaxKind.DefaultKeyword && !ts.isDefaultClause(node.parent))
        ) {
          found.push(placeOf(file, node))
        }
      })
    }
    expect(found).to.deep.equal([])
  })

  it('leave nothing to do', () => {
    const marks = new RegExp(
      `\\b(${['TO', 'FIX', 'XX', 'HA'].map((start, index) => start + ['DO', 'ME', 'X', 'CK'][index]).join('|')})\\b`,
    )
    const found = typeScriptFiles().flatMap(({ path, lines }) =>
      lines.flatMap((line, index) => (marks.test(line) ? [`${path}:${index + 1}`] : [])),
    )
    expect(found).to.deep.equal([])
  })

  it('keep the compiler and the linter on', () => {
    const found = productFiles().flatMap(({ path, lines }) =>
      lines.flatMap((line, index) =>
        /@ts-(ignore|nocheck|expect-error)|eslint-disable/.test(line) ? [`${path}:${index + 1}`] : [],
      ),
    )
    expect(found).to.deep.equal([])
  })
})

describe('functions', () => {
  it(`have at most ${functionLinesMax} lines, or a reason`, () => {
    const found: string[] = []
    for (const file of productFiles()) {
      walk(file.tree, (node) => {
        if (!isFunction(node) || linesOf(file, node) <= functionLinesMax) return
        if (longFunctions[`${file.path} ${functionName(node)}`] !== undefined) return
        found.push(`${placeOf(file, node)}: ${functionName(node)} has ${linesOf(file, node)}`)
      })
    }
    expect(found).to.deep.equal([])
  })
})

describe('tests', () => {
  const isTest = ({ path }: ParsedFile): boolean => path.startsWith('test/')
  /** Tests that need what a machine may not have. They say so, and the last line of the run counts them. */
  const mayBeSkipped: Readonly<Record<string, string>> = {
    'test/e2e/crash-sweep.test.ts': 'needs strace',
    'test/e2e/terminal-client.test.ts': 'needs koffi, an optional package',
    'test/unit/system/direct-file.test.ts': 'needs a file system that knows O_DIRECT',
  }

  it('all run', () => {
    const found: string[] = []
    for (const file of typeScriptFiles().filter(isTest)) {
      walk(file.tree, (node) => {
        if (!ts.isPropertyAccessExpression(node)) return
        const on = node.expression.getText()
        const chosen =
          ['describe', 'it', 'context', 'specify'].includes(on) && ['only', 'skip'].includes(node.name.text)
        const skipped = on === 'this' && node.name.text === 'skip' && mayBeSkipped[file.path] === undefined
        if (chosen || skipped) found.push(placeOf(file, node))
      })
    }
    expect(found).to.deep.equal([])
  })

  it('do not sleep to wait, outside of those on real processes', () => {
    const found: string[] = []
    for (const file of typeScriptFiles().filter(isTest)) {
      if (/^test\/(e2e|support|chaos)\//.test(file.path)) continue
      walk(file.tree, (node) => {
        if (ts.isCallExpression(node) && node.expression.getText() === 'setTimeout') found.push(placeOf(file, node))
      })
    }
    expect(found).to.deep.equal([])
  })
})
