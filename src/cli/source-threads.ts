import { availableParallelism } from 'node:os'
import { SourceDisk, SourceThreaded } from '../client/index.ts'
import { TwofoldError } from '../core/errors.ts'
import type { Cli } from './cli.ts'

/**
 * The file systems of this machine, listed in a thread of its own where there is a processor for it.
 * `TWOFOLD_THREADS`, the number of threads that a backup may use, overrides what the system says.
 * @throws TwofoldError `invalid-argument`
 */
export function openSource({ clock, environment }: Pick<Cli, 'clock' | 'environment'>): SourceDisk {
  const setting = environment['TWOFOLD_THREADS'] ?? ''
  if (setting !== '' && !/^[1-9]\d{0,3}$/.test(setting)) {
    throw new TwofoldError('invalid-argument', `TWOFOLD_THREADS must be a number from 1 on, not "${setting}"`)
  }
  const threads = setting === '' ? availableParallelism() : Number(setting)
  return threads > 1 ? new SourceThreaded(clock) : new SourceDisk(clock)
}
