import type { HashEngine, Hasher } from './hash-engine.ts'

/*
 * BLAKE3 after its specification (the sections' words are used here), for platforms without a native binary. It is
 * written to be read: about a fiftieth of the native speed.
 */

const blockBytes = 64
const chunkBytes = 1024
const chunkStart = 1
const chunkEnd = 2
const parent = 4
const root = 8
const keyedHash = 16

const initialWords = new Int32Array([
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
])
const permutation = [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8]

/** Which message word each step of each of the seven rounds takes. */
const schedule = makeSchedule()

function makeSchedule(): Uint8Array {
  const words = new Uint8Array(7 * 16)
  for (let index = 0; index < 16; index++) words[index] = index
  for (let index = 16; index < words.length; index++) {
    words[index] = words[(index & ~15) - 16 + permutation[index & 15]!]!
  }
  return words
}

/** What the compression function takes besides the chaining value. */
interface Node {
  readonly chaining: Int32Array
  readonly words: Int32Array
  readonly counter: number
  readonly length: number
  readonly flags: number
}

const state = new Int32Array(16)

/** The first half of the output: the next chaining value, or the hash. */
function compress({ chaining, words, counter, length, flags }: Node): Int32Array {
  state.set(chaining)
  state.set(initialWords.subarray(0, 4), 8)
  state[12] = counter | 0
  state[13] = Math.floor(counter / 2 ** 32) | 0
  state[14] = length
  state[15] = flags
  for (let round = 0; round < schedule.length; round += 16) {
    mix(0, 4, words[schedule[round]!]!, words[schedule[round + 1]!]!)
    mix(1, 5, words[schedule[round + 2]!]!, words[schedule[round + 3]!]!)
    mix(2, 6, words[schedule[round + 4]!]!, words[schedule[round + 5]!]!)
    mix(3, 7, words[schedule[round + 6]!]!, words[schedule[round + 7]!]!)
    mix(0, 5, words[schedule[round + 8]!]!, words[schedule[round + 9]!]!)
    mix(1, 6, words[schedule[round + 10]!]!, words[schedule[round + 11]!]!)
    mix(2, 7, words[schedule[round + 12]!]!, words[schedule[round + 13]!]!)
    mix(3, 4, words[schedule[round + 14]!]!, words[schedule[round + 15]!]!)
  }
  const output = new Int32Array(8)
  for (let index = 0; index < 8; index++) output[index] = state[index]! ^ state[index + 8]!
  return output
}

/** The quarter round on the column (b = a + 4) or diagonal that starts with words `a` and `b` of the state. */
function mix(a: number, b: number, first: number, second: number): void {
  const c = 8 + ((a + 2 * (b - 4 - a)) & 3)
  const d = 12 + ((a + 3 * (b - 4 - a)) & 3)
  let va = state[a]!
  let vb = state[b]!
  va = (va + vb + first) | 0
  let vd = rotate(state[d]! ^ va, 16)
  let vc = (state[c]! + vd) | 0
  vb = rotate(vb ^ vc, 12)
  va = (va + vb + second) | 0
  vd = rotate(vd ^ va, 8)
  vc = (vc + vd) | 0
  vb = rotate(vb ^ vc, 7)
  state[a] = va
  state[b] = vb
  state[c] = vc
  state[d] = vd
}

function rotate(word: number, bits: number): number {
  return (word >>> bits) | (word << (32 - bits))
}

function toWords(bytes: Uint8Array): Int32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const words = new Int32Array(bytes.length / 4)
  for (let index = 0; index < words.length; index++) words[index] = view.getInt32(index * 4, true)
  return words
}

class PortableHasher implements Hasher {
  readonly #key: Int32Array
  readonly #flags: number
  /** Chaining values of finished subtrees, the largest first. */
  readonly #stack: Int32Array[] = []
  readonly #block = new Uint8Array(blockBytes)
  #blockLength = 0
  #blocks = 0
  #chunks = 0
  #chaining: Int32Array

  constructor(key: Int32Array, flags: number) {
    this.#key = key
    this.#flags = flags
    this.#chaining = key
  }

  update(data: Uint8Array): void {
    for (let at = 0; at < data.length;) {
      // A full block is compressed only when more follows, since the last one is treated differently.
      if (this.#blockLength === blockBytes) this.#endBlock()
      const taken = Math.min(data.length - at, blockBytes - this.#blockLength)
      this.#block.set(data.subarray(at, at + taken), this.#blockLength)
      this.#blockLength += taken
      at += taken
    }
  }

  digest(): Uint8Array {
    let node = this.#lastBlock(chunkEnd)
    for (const left of this.#stack.reverse()) node = this.#parentOf(left, compress(node))
    const hash = compress({ ...node, counter: 0, flags: node.flags | root })
    const bytes = new Uint8Array(32)
    const view = new DataView(bytes.buffer)
    hash.forEach((word, index) => view.setInt32(index * 4, word, true))
    return bytes
  }

  #endBlock(): void {
    if (this.#blocks < chunkBytes / blockBytes - 1) {
      this.#chaining = compress(this.#lastBlock(0))
      this.#blocks++
    } else {
      this.#endChunk(compress(this.#lastBlock(chunkEnd)))
    }
    this.#blockLength = 0
    this.#block.fill(0)
  }

  /** Joins the finished chunk with the subtrees of its size: as many as the number of chunks has zeros at its end. */
  #endChunk(chunk: Int32Array): void {
    this.#chunks++
    let chaining = chunk
    for (let count = this.#chunks; count % 2 === 0; count /= 2) {
      chaining = compress(this.#parentOf(this.#stack.pop() ?? chaining, chaining))
    }
    this.#stack.push(chaining)
    this.#chaining = this.#key
    this.#blocks = 0
  }

  #lastBlock(flags: number): Node {
    const start = this.#blocks === 0 ? chunkStart : 0
    return {
      chaining: this.#chaining,
      words: toWords(this.#block),
      counter: this.#chunks,
      length: this.#blockLength,
      flags: this.#flags | start | flags,
    }
  }

  #parentOf(left: Int32Array, right: Int32Array): Node {
    const words = new Int32Array(16)
    words.set(left)
    words.set(right, 8)
    return { chaining: this.#key, words, counter: 0, length: blockBytes, flags: this.#flags | parent }
  }
}

/** BLAKE3 in TypeScript. */
export const portableHash: HashEngine = {
  name: 'portable',
  hash(data) {
    const hasher = new PortableHasher(initialWords, 0)
    hasher.update(data)
    return hasher.digest()
  },
  create: () => new PortableHasher(initialWords, 0),
  createKeyed: (key) => new PortableHasher(toWords(key), keyedHash),
}
