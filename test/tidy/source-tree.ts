import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import ts from 'typescript'

export const root = join(import.meta.dirname, '../..')

/** A file of the project with its place in it. */
export interface SourceFile {
  /** From the project's root, with `/`. */
  readonly path: string
  readonly text: string
  readonly lines: readonly string[]
}

/** A file of TypeScript, parsed. */
export interface ParsedFile extends SourceFile {
  readonly tree: ts.SourceFile
}

export interface Import {
  /** As it is written. */
  readonly specifier: string
  /** The path of the file from the project's root; undefined for a package. */
  readonly target: string | undefined
}

/** Everything that is or will be committed: what `.gitignore` names is not the project. */
export function projectFiles(): string[] {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    maxBuffer: 64 * 1024 * 1024,
  })
  const paths = listed.toString().split('\0')
  return [...new Set(paths)].filter((path) => path !== '' && existsSync(join(root, path))).sort()
}

export function sizeOf(path: string): number {
  return statSync(join(root, path)).size
}

export function readText(path: string): string {
  return readFileSync(join(root, path), 'utf8')
}

let parsed: readonly ParsedFile[] | undefined

/** All TypeScript of the project, parsed once. */
export function typeScriptFiles(): readonly ParsedFile[] {
  parsed ??= projectFiles()
    .filter((path) => /\.tsx?$/.test(path))
    .map((path) => {
      const text = readText(path)
      const tree = ts.createSourceFile(path, text, ts.ScriptTarget.ESNext, true)
      return { path, text, lines: text.split('\n'), tree }
    })
  return parsed
}

/** The files of `src`. */
export function productFiles(): readonly ParsedFile[] {
  return typeScriptFiles().filter(({ path }) => path.startsWith('src/'))
}

/** What a file imports, statically or not, types included. */
export function importsOf(file: ParsedFile): Import[] {
  const found: Import[] = []
  const add = (node: ts.Node | undefined): void => {
    if (node === undefined || !ts.isStringLiteralLike(node)) return
    const specifier = node.text
    const target = specifier.startsWith('.') ? normalize(join(dirname(file.path), specifier)) : undefined
    found.push({ specifier, target })
  }
  walk(file.tree, (node) => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) add(node.moduleSpecifier)
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) add(node.arguments[0])
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) add(node.argument.literal)
  })
  return found
}

export function walk(node: ts.Node, visit: (node: ts.Node) => void): void {
  visit(node)
  ts.forEachChild(node, (child) => walk(child, visit))
}

/** `path:line` of a node, for messages. */
export function placeOf(file: ParsedFile, node: ts.Node): string {
  return `${file.path}:${file.tree.getLineAndCharacterOfPosition(node.getStart(file.tree)).line + 1}`
}
