import { expect } from 'chai'
import { dirname, join, normalize } from 'node:path'
import ts from 'typescript'
import { commands } from '../../src/cli/commands.ts'
import { productFiles } from './source-tree.ts'
import type { ParsedFile } from './source-tree.ts'

/** What a command need not wait for at its start: parts of the product, and packages that take long to load. */
const heavyParts = ['src/manager/', 'src/node/', 'src/gateway/', 'src/agent/', 'src/tui/', 'src/rpc/']
const heavyPackages = ['ink', 'react', '@grpc/grpc-js', '@grpc/reflection', 'pino', 'yaml']

/** Commands that are such a part themselves. */
const mayLoad: Readonly<Record<string, readonly string[]>> = {
  manager: ['src/manager/', 'src/rpc/', '@grpc/grpc-js', '@grpc/reflection', 'pino'],
  node: ['src/node/', 'src/gateway/', 'src/rpc/', '@grpc/grpc-js', '@grpc/reflection', 'pino'],
  agent: ['src/agent/', 'pino'],
}

interface Loaded {
  readonly files: ReadonlySet<string>
  readonly packages: ReadonlySet<string>
}

const byPath = new Map(productFiles().map((file) => [file.path, file]))

/** What is loaded before the first line of a file runs: what it imports as values, not by a call. */
function staticImports(file: ParsedFile): string[] {
  return file.tree.statements.flatMap((node) => {
    if (!ts.isImportDeclaration(node) && !ts.isExportDeclaration(node)) return []
    const typeOnly = ts.isImportDeclaration(node) ? node.importClause?.isTypeOnly === true : node.isTypeOnly
    const { moduleSpecifier } = node
    return typeOnly || moduleSpecifier === undefined ? [] : [(moduleSpecifier as ts.StringLiteral).text]
  })
}

function loadedBy(start: string): Loaded {
  const files = new Set<string>()
  const packages = new Set<string>()
  const visit = (path: string): void => {
    const file = byPath.get(path)
    if (file === undefined || files.has(path)) return
    files.add(path)
    for (const specifier of staticImports(file)) {
      if (specifier.startsWith('.')) visit(normalize(join(dirname(path), specifier)))
      else packages.add(specifier)
    }
  }
  visit(start)
  return { files, packages }
}

function heavyOf({ files, packages }: Loaded): string[] {
  const parts = heavyParts.filter((part) => [...files].some((file) => file.startsWith(part)))
  return [...parts, ...heavyPackages.filter((name) => packages.has(name))]
}

/** The file that a command is loaded from, as `commands.ts` writes it. */
function moduleOf(name: string): string {
  const entry = commands.find((each) => each.name === name)
  const found = /import\(["'](\.\/commands\/[^"']+)["']\)/.exec(String(entry?.load))
  return normalize(join('src/cli', found?.[1] ?? ''))
}

describe('what is loaded at the start', () => {
  it('for --version is next to nothing', () => {
    const { files, packages } = loadedBy('src/cli/main.ts')
    expect([...files].sort()).to.deep.equal(['src/cli/main.ts', 'src/cli/program-version.ts'])
    expect([...packages]).to.deep.equal([])
  })

  it('before a command is chosen is nothing of any role', () => {
    const loaded = loadedBy('src/cli/run.ts')
    expect(heavyOf(loaded)).to.deep.equal([])
    expect([...loaded.files].filter((file) => file.startsWith('src/client/'))).to.deep.equal([])
  })

  for (const { name } of commands) {
    it(`for ${name} is nothing that it does not need`, () => {
      const path = moduleOf(name)
      expect(byPath.has(path), path).to.equal(true)
      const allowed = mayLoad[name] ?? []
      const heavy = heavyOf(loadedBy(path)).filter((part) => !allowed.includes(part))
      expect(heavy).to.deep.equal([])
    })
  }
})
