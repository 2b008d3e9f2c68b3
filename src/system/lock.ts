import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { TwofoldError } from '../core/errors.ts'
import { makeDirectory } from './directories.ts'

const sqliteBusy = 5

function isBusy(error: unknown): boolean {
  return ((error as { errcode?: number } | undefined)?.errcode ?? 0) % 256 === sqliteBusy
}

/**
 * Takes a directory for this process alone. Node has no file locks, so the lock is an open transaction on an empty
 * SQLite database named `lock`: the kernel releases it when the process ends, however it ends.
 *
 * @throws `failed-precondition` when another process, or this one, holds it.
 */
export async function lockDirectory(directory: string): Promise<{ release(): void }> {
  await makeDirectory(directory)
  let database: DatabaseSync | undefined
  try {
    database = new DatabaseSync(join(directory, 'lock'))
    database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE')
  } catch (error) {
    database?.close()
    if (isBusy(error)) {
      throw new TwofoldError('failed-precondition', `another process is using ${directory}; stop it first`)
    }
    throw new TwofoldError('io', `cannot lock ${directory}: ${(error as Error).message}`, { cause: error })
  }
  const held = database
  return { release: () => held.close() }
}
