/** Other programs for the same job, each with its servers as processes of their own on this machine. */
import { execFileSync } from 'node:child_process'
import { accessSync, constants, mkdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { BackupProgram } from './backup-program.ts'
import { Restic } from './restic.ts'
import { Rsync } from './rsync.ts'

export const peerNames = ['restic', 'rsync'] as const
export type PeerName = (typeof peerNames)[number]

/** Each has the name of its Debian package, and what it is asked for its version with. */
const needed = { restic: 'version', rclone: 'version', rsync: '--version' } as const

function isInstalled(program: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((directory) => {
    try {
      accessSync(join(directory, program), constants.X_OK)
      return true
    } catch {
      // It is not here; the next directory may have it.
      return false
    }
  })
}

/** The versions of all programs that the peers consist of. @throws when one is not installed, with what to do */
export function peerVersions(): Record<string, string> {
  const missing = Object.keys(needed).filter((program) => !isInstalled(program))
  if (missing.length > 0) {
    const packages = missing.join(' ')
    throw new Error(
      `not installed: ${missing.join(', ')}. On Debian: apt-get install ${packages}. Or leave out PEERS=1`,
    )
  }
  return Object.fromEntries(
    Object.entries(needed).map(([program, argument]) => {
      const [first = ''] = execFileSync(program, [argument], { encoding: 'utf8' }).split('\n')
      return [program, first.trim().replace(/\s+/g, ' ')]
    }),
  )
}

/** Starts one with an empty store. @param directory for what it stores, which must not exist */
export function startPeer(name: PeerName, directory: string, signal: AbortSignal): Promise<BackupProgram> {
  mkdirSync(directory)
  return name === 'restic' ? Restic.start(directory, signal) : Rsync.start(directory, signal)
}
