import { execFileSync } from 'node:child_process'
import * as fs from 'node:fs'
import { join } from 'node:path'
import { SeededRandom } from '../support/seeded-random.ts'

const files = 40
const fileBytesMost = 200_000
const folders = 6
/** Some rounds have a file of more than one pack, so that packs stream while things happen. */
const bigEvery = 5
const bigBytes = 20_000_000
const changedPart = 0.15

/** A folder that somebody works in: another one after each round, always the same for a seed. */
export class ChangingTree {
  readonly path: string
  readonly #random: SeededRandom
  #round = 0

  constructor(path: string, seed: number) {
    this.path = path
    this.#random = new SeededRandom(seed)
    for (let folder = 0; folder < folders; folder++) fs.mkdirSync(join(path, `folder ${folder}`), { recursive: true })
    for (let number = 0; number < files; number++) this.#write(number)
    fs.symlinkSync('folder 0/0', join(path, 'link'))
    fs.mkdirSync(join(path, 'empty'))
  }

  /** Files are written anew, extended, renamed, removed and changed in mode. */
  change(): void {
    this.#round += 1
    for (let number = 0; number < files; number++) if (this.#random.fraction() < changedPart) this.#changeOne(number)
    const big = join(this.path, 'big')
    if (this.#round % bigEvery === 1) fs.writeFileSync(big, this.#random.bytes(bigBytes))
    else fs.rmSync(big, { force: true })
  }

  /** Copies it as it is, down to the nanoseconds. */
  copyTo(target: string): void {
    execFileSync('cp', ['-a', this.path, target])
  }

  #place(number: number): string {
    return join(this.path, `folder ${number % folders}`, String(number))
  }

  #write(number: number): void {
    const bytes = this.#random.bytes(Math.floor(this.#random.fraction() ** 3 * fileBytesMost))
    // Half of them can be compressed.
    fs.writeFileSync(this.#place(number), number % 2 === 0 ? bytes : Buffer.from(bytes).toString('base64'))
  }

  #changeOne(number: number): void {
    const place = this.#place(number)
    const way = Math.floor(this.#random.fraction() * 5)
    const there = fs.existsSync(place)
    if (!there || way === 0) this.#write(number)
    else if (way === 1) fs.appendFileSync(place, this.#random.bytes(1000))
    else if (way === 2) fs.renameSync(place, `${place} of round ${this.#round}`)
    else if (way === 3) fs.rmSync(place)
    else fs.chmodSync(place, 0o600 + Math.floor(this.#random.fraction() * 64))
  }
}
