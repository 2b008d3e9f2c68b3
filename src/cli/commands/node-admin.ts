import type { Command } from 'commander'
import type { NodeOutlook } from '../../core/node-admin.ts'
import type { Client } from '../../client/index.ts'
import type { Cli } from '../cli.ts'
import { addAction, addClusterOptions, addHelp } from '../command-setup.ts'
import type { ClusterOptions, CommandHelp, Run } from '../command-setup.ts'
import { confirm } from '../confirm.ts'
import { formatBytes, plural } from '../../core/human-format.ts'
import { lossLines, outlookRecord, shareText } from '../node-admin-text.ts'
import { safeText } from '../../core/safe-text.ts'
import { withClient } from '../with-client.ts'

interface Options extends ClusterOptions {
  readonly dryRun?: boolean
  readonly force?: boolean
  readonly yes?: boolean
}

interface Subcommand {
  readonly name: string
  readonly summary: string
  readonly example: string
  readonly ask: (client: Client, node: string, options: AskOptions) => Promise<NodeOutlook>
  readonly lines: (outlook: NodeOutlook, dryRun: boolean) => string[]
}

interface AskOptions {
  readonly dryRun: boolean
  readonly force: boolean
  readonly signal: AbortSignal
}

const exitCodes: CommandHelp['exitCodes'] = [0, 1, 10, 12, 13, 130]

const subcommands: readonly Subcommand[] = [
  {
    name: 'drain',
    summary: 'empty a node: it gets nothing new, and what it holds is copied to others',
    example: 'twofold node drain n1',
    ask: (client, node, options) => client.drainNode(node, options),
    lines: drainLines,
  },
  {
    name: 'resume',
    summary: 'take a drained node into use again',
    example: 'twofold node resume n1',
    ask: (client, node, options) => client.resumeNode(node, options),
    lines: resumeLines,
  },
  {
    name: 'remove',
    summary: 'take a node out for good: a drained one, or a dead one that has no only copies',
    example: 'twofold node remove n1 --dry-run',
    ask: (client, node, options) => client.removeNode(node, options),
    lines: removeLines,
  },
]

export const nodeAdminExamples = subcommands.map(({ example }) => example)

/** Adds `drain`, `resume` and `remove` to the command that runs a node. */
export function addNodeAdmin(command: Command, cli: Cli): void {
  for (const subcommand of subcommands) {
    const { name, summary, example } = subcommand
    const sub = addClusterOptions(command.command(`${name} <node>`).description(summary))
    sub.option('--dry-run', 'only say what would happen')
    if (name === 'remove') {
      sub.option('--force', 'even if only copies are lost, or it is still being emptied')
      sub.option('--yes', 'do not ask before it')
    }
    addHelp(sub, { examples: [example], exitCodes })
    addAction<Options>(sub, cli, (run) => withClient(run, (client) => act(client, run, subcommand)))
  }
}

async function act(client: Client, run: Run<Options>, { name, ask, lines }: Subcommand): Promise<void> {
  const { dryRun = false, force = false } = run.options
  const node = run.operands[0] ?? ''
  const asked = { force, signal: run.cli.signal }
  if (name === 'remove' && !dryRun) await confirmRemoval(run, await ask(client, node, { ...asked, dryRun: true }))
  const outlook = await ask(client, node, { ...asked, dryRun })
  await run.output.record(outlookRecord(outlook, dryRun))
  await run.output.outcome(lines(outlook, dryRun), { dryRun })
}

/** Says what goes with the node before it asks: it cannot be undone. */
async function confirmRemoval(run: Run<Options>, outlook: NodeOutlook): Promise<void> {
  const { options, output } = run
  if (!outlook.changed || options.yes === true) return
  if (output.interactive) await output.lines(removeLines(outlook, true))
  await confirm(run, `Take node ${safeText(outlook.node)} out for good?`, false)
}

function drainLines(outlook: NodeOutlook, dryRun: boolean): string[] {
  const name = safeText(outlook.node)
  if (!outlook.changed) return [`Node ${name} is ${outlook.state} already.`]
  const held = `${plural(outlook.packs, 'pack')}, ${formatBytes(outlook.bytes)}`
  const where = outlook.targets.length > 0 ? [`About where to: ${shareText(outlook.targets)}`] : []
  const copied = `${plural(outlook.short, 'pack')} must be copied to other nodes.`
  if (dryRun) return [`Node ${name} would be emptied of ${held}.`, copied, ...where]
  return [`Node ${name} is being emptied of ${held}.`, copied, ...where, '"twofold tasks" shows how far it is.']
}

function resumeLines({ node, state, changed }: NodeOutlook, dryRun: boolean): string[] {
  if (!changed) return [`Node ${safeText(node)} is in use: ${state}.`]
  return [dryRun ? `Node ${safeText(node)} would be used again.` : `Node ${safeText(node)} is used again.`]
}

function removeLines(outlook: NodeOutlook, dryRun: boolean): string[] {
  const name = safeText(outlook.node)
  if (!outlook.changed) return [`Node ${name} was removed before.`]
  const held = `${plural(outlook.packs, 'pack')}, ${formatBytes(outlook.bytes)}`
  if (dryRun) return [`Node ${name} is ${outlook.state} and has ${held}.`, ...lossLines(outlook)]
  return [`Node ${name} is removed. Its store cannot come back; format a new one for it.`]
}
