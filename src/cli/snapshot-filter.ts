import type { Command } from 'commander'
import type { SnapshotFilter } from '../core/messages.ts'
import { absoluteArgument } from './argument-bytes.ts'
import { collect, collectList } from './command-setup.ts'
import type { ClusterOptions } from './command-setup.ts'

export interface FilterOptions extends ClusterOptions {
  readonly host?: string
  readonly tag?: readonly string[]
  readonly path?: readonly string[]
}

/** Which snapshots a command, or the word `latest`, chooses from. */
export function addFilterOptions(command: Command): Command {
  return command
    .option('-H, --host <name>', 'only snapshots of this host')
    .option('--tag <tag>', 'only snapshots with this tag; may be repeated', collectList)
    .option('--path <path>', 'only snapshots of this path; may be repeated', collect)
}

export function toFilter(options: FilterOptions): Partial<SnapshotFilter> {
  return {
    ...(options.vault === undefined ? {} : { vault: options.vault }),
    ...(options.host === undefined ? {} : { host: options.host }),
    ...(options.tag === undefined ? {} : { tags: options.tag }),
    ...(options.path === undefined ? {} : { paths: options.path.map(absoluteArgument) }),
  }
}
