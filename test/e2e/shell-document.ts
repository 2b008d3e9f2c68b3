/** Tables of documents, and what commands print there, so that tests can expect it. */
import { readFileSync } from 'node:fs'

/** The cells of every row of the table whose head begins with `firstHead`, without its backticks. */
export function tableRows(path: string, firstHead: string): string[][] {
  const lines = readFileSync(path, 'utf8').split('\n')
  const head = lines.findIndex((line) => line.startsWith(`| ${firstHead} `))
  const body = lines.slice(head + 2)
  const end = body.findIndex((line) => !line.startsWith('|'))
  const cellsOf = (line: string): string[] =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim())
  return body.slice(0, end).map(cellsOf)
}

/**
 * Matches what prints the same: `…` stands for anything, times and hexadecimal identities for any other ones, and white
 * space does not count.
 */
export function outputPattern(output: string): RegExp {
  const source = output
    .replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
    .replace(/…/g, '[^]*?')
    .replace(/\b(?:[0-9a-f]{64}|[0-9a-f]{32})\b/g, (id) => `[0-9a-f]{${id.length}}`)
    .replace(/\b1\d{12}\b/g, '1\\d{12}')
  return new RegExp(`^${withoutSpace(source)}$`)
}

export function withoutSpace(text: string): string {
  return text.replace(/\s+/g, '')
}
