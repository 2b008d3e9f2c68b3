import type { ContentKind } from './content.ts'
import { SeededStream } from './seeded-stream.ts'

/** A file to be made. */
export interface FileSpec {
  /** Relative, with `/`. */
  readonly path: string
  /** In bytes. */
  readonly size: number
  readonly kind: ContentKind
  /** Files with the same label, kind and size have the same content. */
  readonly content: string
}

export interface Workload {
  readonly name: string
  readonly description: string
  /** The files at this scale; always the same for a seed. */
  plan(scale: number, seed: string): FileSpec[]
}

const KiB = 1024
const MiB = 1024 * KiB

const large: Workload = {
  name: 'large',
  description: 'few large files that cannot be compressed',
  plan: (scale) =>
    Array.from({ length: 4 }, (_, number) => ({
      path: `film-${number}.bin`,
      size: Math.max(1, Math.round(256 * MiB * scale)),
      kind: 'random',
      content: String(number),
    })),
}

const mixed: Workload = {
  name: 'mixed',
  description: 'a tree of text, records, incompressible files and duplicates of many sizes',
  plan: (scale, seed) => {
    const random = new SeededStream(`${seed}/mixed`)
    const files: FileSpec[] = []
    for (let left = 1024 * MiB * scale; left > 0;) {
      const file = mixedFile(files, random)
      files.push(file)
      left -= file.size
    }
    return files
  },
}

/** From 64 bytes to 8 MiB; of each power of two there are more than of the next. */
function mixedSize(random: SeededStream): number {
  return Math.floor(64 * 2 ** (17 * random.fraction() ** 4))
}

function mixedFile(known: readonly FileSpec[], random: SeededStream): FileSpec {
  const number = known.length
  const place = `area-${random.below(8)}/part-${random.below(12)}`
  const lot = random.fraction()
  if (lot < 0.1 && number > 0) {
    const original = known[random.below(number)] as FileSpec
    return { ...original, path: `${place}/copy-${number}` }
  }
  if (lot < 0.11) return { path: `${place}/empty-${number}`, size: 0, kind: 'text', content: '' }
  const kind: ContentKind = lot < 0.6 ? 'text' : lot < 0.85 ? 'records' : 'random'
  return { path: `${place}/${kind}-${number}`, size: mixedSize(random), kind, content: String(number) }
}

const small: Workload = {
  name: 'small',
  description: 'very many small text files',
  plan: (scale, seed) => {
    const random = new SeededStream(`${seed}/small`)
    return Array.from({ length: Math.max(10, Math.round(100_000 * scale)) }, (_, number) => ({
      path: `${Math.floor(number / 10_000)}/${Math.floor(number / 100) % 100}/note-${number}.txt`,
      // Evenly over the powers of two from 64 bytes to 8 KiB: 1.7 KB on average.
      size: Math.floor(64 * 2 ** (7 * random.fraction())),
      kind: 'text',
      content: String(number),
    }))
  },
}

export const workloads: readonly Workload[] = [large, mixed, small]
