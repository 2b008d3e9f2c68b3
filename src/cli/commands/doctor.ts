import type { Command } from 'commander'
import type { Finding, FindingGrade } from '../../client/index.ts'
import type { Cli } from '../cli.ts'
import { addAction, addClusterOptions, addHelp } from '../command-setup.ts'
import type { ClusterOptions, Run } from '../command-setup.ts'
import type { ExitCode } from '../exit-codes.ts'
import { plural } from '../../core/human-format.ts'
import type { Output } from '../output.ts'
import { safeText } from '../../core/safe-text.ts'
import { withClient } from '../with-client.ts'

interface Options extends ClusterOptions {
  readonly roundTrip: boolean
}

export function defineDoctor(command: Command, cli: Cli): void {
  const cluster = addClusterOptions(command)
  cluster.option('--no-round-trip', 'write nothing to the nodes to see whether it comes back')
  addHelp(command, {
    examples: ['twofold doctor', 'twofold doctor --json', 'twofold doctor --no-round-trip'],
    notes: [
      'It looks at the connection, the clock, the nodes and their room, the versions and the copies of all backups,',
      'and writes a pack to every node and reads it back. Nothing is kept; the history gets an abandoned backup.',
      'It exits with 10 when the manager cannot be reached, with 1 when something else fails, with 0 otherwise:',
      'warnings are told and are no failures.',
    ],
    exitCodes: [0, 1, 10, 130],
  })
  addAction<Options>(command, cli, (run) =>
    withClient(run, async (client) => {
      const { cli, output, options } = run
      const onStage = (what: string): void => output.status(`looking at ${what} …`)
      const found: Finding[] = []
      const onFinding = (finding: Finding): void => {
        found.push(finding)
        void tell(finding, output)
      }
      const { vault, roundTrip } = options
      try {
        await client.doctor({ vault, roundTrip }, { signal: cli.signal, onStage, onFinding })
      } finally {
        output.clearStatus()
      }
      await summarize(found, run)
      cli.setExitCode(exitCodeFor(found))
    }),
  )
}

const marks: Readonly<Record<FindingGrade, string>> = { ok: 'ok', note: 'note', warning: 'warn', failure: 'FAIL' }

async function tell({ check, node, grade, text, advice }: Finding, output: Output): Promise<void> {
  await output.record({ message_type: 'finding', check, ...(node === '' ? {} : { node }), grade, text, advice })
  const { green, yellow, red, dim } = output.style
  const paint = { ok: green, note: dim, warning: yellow, failure: red }[grade]
  const found = `${paint(marks[grade].padEnd(4))}  ${check.padEnd(12)}  ${safeText(text)}`
  // In one piece: findings are told without waiting for the one before.
  await output.line(advice === '' ? found : `${found}\n${' '.repeat(20)}${dim(safeText(advice))}`)
}

async function summarize(found: readonly Finding[], { output }: Run<Options>): Promise<void> {
  const count = (grade: FindingGrade): number => found.filter((each) => each.grade === grade).length
  const [failures, warnings] = [count('failure'), count('warning')]
  await output.record({ message_type: 'summary', failures, warnings, notes: count('note'), well: failures === 0 })
  await output.line()
  const told = `${plural(failures, 'failure')}, ${plural(warnings, 'warning')}`
  await output.line(failures + warnings === 0 ? 'Everything works.' : `${told}; what to do stands below each.`)
}

function exitCodeFor(found: readonly Finding[]): ExitCode {
  const failed = found.filter(({ grade }) => grade === 'failure')
  if (failed.length === 0) return 0
  return failed.some(({ check }) => check === 'connection') ? 10 : 1
}
