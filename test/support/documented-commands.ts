/** The commands of the documents: which test runs them, and which of them none does, and why. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '../..')

export interface Block {
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

export interface NotRun {
  readonly document: string
  /** From the beginning of its line. */
  readonly command: string
  readonly reason: string
}

const newcomers = 'test/e2e/documents.test.ts'
const operators = 'test/e2e/operations.test.ts'

/** For every document with commands that are run, the test that does it. */
export const testOf: Readonly<Record<string, string>> = {
  'README.md': newcomers,
  'docs/tutorial.md': newcomers,
  'docs/howto.md': newcomers,
  'docs/howto/laptop.md': newcomers,
  'docs/howto/fleet.md': newcomers,
  'docs/howto/schedules.md': newcomers,
  'docs/examples/README.md': newcomers,
  'docs/operations.md': operators,
  'docs/howto/dead-node.md': operators,
  'docs/howto/lost-manager.md': operators,
  'docs/howto/upgrade.md': operators,
  'docs/terminal-client.md': 'test/e2e/terminal-client.test.ts',
  'docs/grpcurl.md': 'test/e2e/any-client.test.ts',
}

const laterDown = 'the test does it once, behind the last document'
const needsSystemd = 'changes the services of a machine'
const full = 'has no end: test/e2e/terminal-client.test.ts types its keys'
const long = 'takes a minute: test/e2e/benchmark.test.ts runs it with less to measure'
const longer = 'takes up to 25 minutes; it is what the figures of the document come from'

export const notRun: readonly NotRun[] = [
  { document: 'README.md', command: 'make demo', reason: 'half a minute of steps that other tests take one by one' },
  { document: 'README.md', command: 'make test', reason: 'it would run itself' },
  { document: 'README.md', command: 'bin/twofold   ', reason: full },
  { document: 'README.md', command: 'make down', reason: laterDown },
  { document: 'docs/tutorial.md', command: 'make down', reason: laterDown },
  { document: 'docs/howto/fleet.md', command: 'systemctl ', reason: needsSystemd },
  { document: 'docs/howto/upgrade.md', command: 'systemctl ', reason: needsSystemd },
  { document: 'docs/benchmark.md', command: 'twofold benchmark', reason: long },
  { document: 'docs/performance.md', command: 'make bench', reason: longer },
  { document: 'docs/performance.md', command: 'twofold benchmark', reason: long },
]

/** Languages of blocks with commands of a shell. */
export const shellLanguages = ['sh', 'console']

/** The fenced blocks of a Markdown document. */
export function blocksOf(markdown: string): Block[] {
  const blocks: Block[] = []
  let open: { line: number; language: string; lines: string[] } | undefined
  for (const [index, line] of markdown.split('\n').entries()) {
    if (!line.trimStart().startsWith('```')) open?.lines.push(line)
    else if (open === undefined) open = { line: index + 1, language: line.trim().slice(3), lines: [] }
    else {
      blocks.push({ line: open.line, language: open.language, text: open.lines.join('\n') })
      open = undefined
    }
  }
  return blocks
}

export function blocksIn(document: string): Block[] {
  return blocksOf(readFileSync(join(root, document), 'utf8'))
}

export function whyNotRun(document: string, line: string): NotRun | undefined {
  return notRun.find((each) => each.document === document && line.startsWith(each.command))
}

/** Each block of commands, without those that no test runs, with the block of what they print that follows it. */
export function stepsOf(document: string): ShellStep[] {
  const blocks = blocksIn(document)
  return blocks.flatMap(({ line, language, text }, index) => {
    if (!shellLanguages.includes(language)) return []
    const next = blocks[index + 1]
    const output = next !== undefined && ['text', 'json'].includes(next.language) ? next.text : undefined
    const commands = text.split('\n').filter((each) => whyNotRun(document, each) === undefined)
    return commands.length === 0 ? [] : [{ line, commands: commands.join('\n'), output }]
  })
}

/** The lines of a step, those that end with a backslash together with the next. */
export function linesOf(commands: string): string[] {
  return commands.replace(/\\\n\s*/g, '').split('\n')
}
