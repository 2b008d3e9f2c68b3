import {
  closeSync,
  ftruncateSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { SeededStream } from '../workloads/seeded-stream.ts'

const filesPerFolder = 1000
const smallestBytes = 64
const islandBytes = 256 * 1024
/** Of a sparse file's length. */
const islandShare = 0.01

/** Files of 64 to 1,000 bytes that cannot be compressed, 1,000 in each folder. @returns how many bytes */
export function writeSmallFiles(folder: string, count: number, seed: string): number {
  const random = new SeededStream(seed)
  const memory = Buffer.alloc(1000)
  let total = 0
  for (let n = 0; n < count; n++) {
    const inside = join(folder, `d${Math.floor(n / filesPerFolder)}`)
    if (n % filesPerFolder === 0) mkdirSync(inside, { recursive: true })
    const content = memory.subarray(0, smallestBytes + random.below(memory.length - smallestBytes + 1))
    random.fill(content)
    writeFileSync(join(inside, `f${n}`), content)
    total += content.length
  }
  return total
}

/** Reads every file below the folder, so that all of it is in the page cache if it fits there. */
export function readAll(folder: string): void {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name)
    if (lstatSync(path).isDirectory()) readAll(path)
    else readFileSync(path)
  }
}

/** A file that cannot be compressed. @returns its length */
export function writeLargeFile(path: string, bytes: number, seed: string): number {
  const content = Buffer.alloc(bytes)
  new SeededStream(seed).fill(content)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, content)
  return bytes
}

/** A file of holes with random bytes in a hundredth of it, in pieces of 256 KiB here and there. */
export function writeSparseFile(path: string, bytes: number, seed: string): void {
  const random = new SeededStream(seed)
  const island = Buffer.alloc(islandBytes)
  mkdirSync(dirname(path), { recursive: true })
  const file = openSync(path, 'w')
  try {
    ftruncateSync(file, bytes)
    const slots = Math.floor(bytes / islandBytes)
    for (let n = Math.ceil(slots * islandShare); n > 0; n--) {
      random.fill(island)
      writeSync(file, island, 0, islandBytes, random.below(slots) * islandBytes)
    }
  } finally {
    closeSync(file)
  }
}
