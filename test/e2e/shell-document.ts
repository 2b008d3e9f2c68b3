/** A document with commands of a shell and what they print, so that tests can run the one and expect the other. */
import { readFileSync } from 'node:fs'

interface Block {
  /** Where it begins in the document. */
  readonly line: number
  readonly language: string
  readonly text: string
}

export interface ShellStep {
  readonly line: number
  readonly commands: string
  /** What it prints, in the document's words; undefined when it does not say. */
  readonly output: string | undefined
}

/** The fenced blocks of a Markdown document. */
function blocksOf(markdown: string): Block[] {
  const blocks: Block[] = []
  let open: { line: number; language: string; lines: string[] } | undefined
  for (const [index, line] of markdown.split('\n').entries()) {
    if (!line.startsWith('```')) open?.lines.push(line)
    else if (open === undefined) open = { line: index + 1, language: line.slice(3), lines: [] }
    else {
      blocks.push({ line: open.line, language: open.language, text: open.lines.join('\n') })
      open = undefined
    }
  }
  return blocks
}

/** Each `sh` block with the `text` or `json` block that follows it. */
export function shellSteps(path: string): ShellStep[] {
  const blocks = blocksOf(readFileSync(path, 'utf8'))
  return blocks.flatMap(({ line, language, text }, index) => {
    if (language !== 'sh') return []
    const next = blocks[index + 1]
    const output = next === undefined || next.language === 'sh' ? undefined : next.text
    return [{ line, commands: text, output }]
  })
}

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
