import { TwofoldError } from '../core/errors.ts'
import type { CommonOptions, Run } from './command-setup.ts'

/**
 * Asks before what cannot be undone, unless `yes`.
 * @throws TwofoldError `failed-precondition` when nobody is there to ask, or the answer is no
 */
export async function confirm(run: Run<CommonOptions>, question: string, yes: boolean): Promise<void> {
  if (yes) return
  const { output, cli } = run
  if (!output.interactive) throw new TwofoldError('failed-precondition', `${question} Say so with --yes`)
  await output.raw(Buffer.from(`${question} [y/N] `))
  if (!/^\s*y(es)?\s*$/i.test(await firstLine(cli.stdin))) {
    throw new TwofoldError('failed-precondition', 'nothing was changed')
  }
}

async function firstLine(stdin: AsyncIterable<unknown>): Promise<string> {
  let text = ''
  for await (const piece of stdin) {
    text += String(piece)
    if (text.includes('\n')) break
  }
  return text.split('\n', 1)[0] ?? ''
}
