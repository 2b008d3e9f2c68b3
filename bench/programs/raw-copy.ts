import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { measureCommand } from '../measure/measured-command.ts'
import type { Measurement } from '../measure/measurement.ts'

const copy = 'cp -a --reflink=never "$1" "$2"'
/** `sync` with names is fsync of each. All of them after the copy, which is faster than one by one. */
const copyTwiceAndSync = `
for copy in "$2" "$3"; do
  cp -a --reflink=never "$1" "$copy"
  find "$copy" '(' -type f -o -type d ')' -print0 | xargs -0 sync
done`

/**
 * What the disk allows a restore: `cp` of the folder to another directory.
 *
 * @param directory for the copy, which must not exist
 */
export function measureCopy(source: string, directory: string, signal: AbortSignal): Promise<Measurement> {
  return measureScript(copy, { source, directory, copies: ['copy'] }, signal)
}

/**
 * The plainest way to two durable copies on this machine: `cp` of the folder to two directories, each followed by
 * fsync of every file and directory in it.
 *
 * @param directory for the copies, which must not exist
 */
export function measureTwoSyncedCopies(source: string, directory: string, signal: AbortSignal): Promise<Measurement> {
  return measureScript(copyTwiceAndSync, { source, directory, copies: ['first', 'second'] }, signal)
}

async function measureScript(
  script: string,
  { source, directory, copies }: { source: string; directory: string; copies: readonly string[] },
  signal: AbortSignal,
): Promise<Measurement> {
  mkdirSync(directory)
  const targets = copies.map((name) => join(directory, name))
  const command = { file: 'sh', arguments: ['-euc', script, 'raw-copy', source, ...targets] }
  const { seconds, usage } = await measureCommand(command, signal)
  // The shell's own peak says nothing: the memory is that of what it starts.
  const client = { cpuSeconds: usage.cpuSeconds, peakRssBytes: undefined }
  return { seconds, storedBytes: undefined, processes: { client } }
}
