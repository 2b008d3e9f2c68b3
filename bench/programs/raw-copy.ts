import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { measureCommand } from '../measure/measured-command.ts'
import type { Measurement } from '../measure/measurement.ts'

/** `sync` with names is fsync of each. All of them after the copy, which is faster than one by one. */
const script = `
for copy in "$2" "$3"; do
  cp -a --reflink=never "$1" "$copy"
  find "$copy" '(' -type f -o -type d ')' -print0 | xargs -0 sync
done`

/**
 * The plainest way to two durable copies on this machine: `cp` of the folder to two directories, each followed by
 * fsync of every file and directory in it.
 *
 * @param directory for the copies, which must not exist
 */
export async function measureRawCopy(source: string, directory: string, signal: AbortSignal): Promise<Measurement> {
  mkdirSync(directory)
  const copies = [join(directory, 'first'), join(directory, 'second')]
  const command = { file: 'sh', arguments: ['-euc', script, 'raw-copy', source, ...copies] }
  const { seconds, usage } = await measureCommand(command, signal)
  // The shell's own peak says nothing: the memory is that of what it starts.
  const client = { cpuSeconds: usage.cpuSeconds, peakRssBytes: undefined }
  return { seconds, storedBytes: undefined, processes: { client } }
}
