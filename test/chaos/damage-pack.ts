import * as fs from 'node:fs'

/** What happens to files on disks that are not what they were. */
export const damages = ['a byte is another', 'its end is cut off', 'it is gone', 'another is in its place'] as const

/**
 * Damages one of the pack files of a node; which of them, how and where follow from `amount`.
 * @returns what was done; undefined when there is none, or it was deleted just now
 */
export function damagePack(files: readonly string[], amount: number): string | undefined {
  const damage = damages[amount % damages.length] ?? damages[0]
  const chosen = Math.floor(amount / damages.length)
  const file = files[chosen % Math.max(1, files.length)]
  if (file === undefined) return undefined
  try {
    apply(damage, file, { at: chosen % Math.max(1, fs.statSync(file).size), others: files })
    return `${file}: ${damage}`
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

type Damage = (typeof damages)[number]

function apply(damage: Damage, file: string, { at, others }: { at: number; others: readonly string[] }): void {
  switch (damage) {
    case 'a byte is another':
      return flipByte(file, at)
    case 'its end is cut off':
      return fs.truncateSync(file, at)
    case 'it is gone':
      return fs.unlinkSync(file)
    case 'another is in its place':
      // Without its last byte: where there is no other, it is damaged all the same.
      return overwrite(file, fs.readFileSync(others.find((other) => other !== file) ?? file).subarray(0, -1))
  }
}

export function flipByte(file: string, at: number): void {
  const descriptor = fs.openSync(file, 'r+')
  const byte = Buffer.alloc(1)
  fs.readSync(descriptor, byte, 0, 1, at)
  fs.writeSync(descriptor, Buffer.from([(byte[0] ?? 0) ^ 1]), 0, 1, at)
  fs.closeSync(descriptor)
}

/** Only a file that is there: its node may be deleting it. */
function overwrite(file: string, bytes: Uint8Array): void {
  const descriptor = fs.openSync(file, 'r+')
  fs.ftruncateSync(descriptor, 0)
  fs.writeSync(descriptor, bytes)
  fs.closeSync(descriptor)
}
