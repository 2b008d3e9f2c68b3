import type { Disk } from '../core/disk.ts'
import { isTwofoldError, TwofoldError } from '../core/errors.ts'
import { Semaphore } from '../core/semaphore.ts'
import { readRecord, writeRecord } from './durable-record.ts'

const fileName = 'sequence.json'
/** Numbers reserved by one durable write. What a crash leaves unused is never given out: the numbers only grow. */
const blockLength = 1024

/** Hands out the numbers of durable puts. A number is never given twice in the life of a store. */
export class PutSequence {
  readonly #disk: Disk
  readonly #turn = new Semaphore(1)
  #last: number
  #reserved: number

  private constructor(disk: Disk, reserved: number) {
    this.#disk = disk
    this.#last = reserved
    this.#reserved = reserved
  }

  static async open(disk: Disk): Promise<PutSequence> {
    return new PutSequence(disk, await readReserved(disk))
  }

  /** The newest number that was given, or may have been before a restart. */
  get last(): number {
    return this.#last
  }

  /** Takes note of a number that was given for sure, though `sequence.json` may have been lost since. */
  raise(number: number): void {
    if (number <= this.#reserved) return
    this.#last = number
    this.#reserved = number
  }

  /** @param given is told the number in the moment in which `last` becomes it */
  next(given: (number: number) => void = () => undefined): Promise<number> {
    return this.#turn.run(async () => {
      if (this.#last === this.#reserved) await this.#reserve(this.#reserved + blockLength)
      this.#last += 1
      given(this.#last)
      return this.#last
    })
  }

  /** Makes sure, durably, that the next numbers are higher than `number`. */
  skipTo(number: number): Promise<void> {
    return this.#turn.run(async () => {
      if (number <= this.#last) return
      if (number > this.#reserved) await this.#reserve(number)
      this.#last = number
    })
  }

  async #reserve(reserved: number): Promise<void> {
    await writeRecord(this.#disk, fileName, Buffer.from(`${JSON.stringify({ reserved })}\n`))
    this.#reserved = reserved
  }
}

async function readReserved(disk: Disk): Promise<number> {
  let content: Uint8Array
  try {
    content = await readRecord(disk, fileName)
  } catch (error) {
    if (isTwofoldError(error, 'not-found')) return 0
    throw error
  }
  const reserved = parseReserved(content)
  if (reserved !== undefined) return reserved
  throw new TwofoldError('integrity', `${fileName} is damaged; restore it from a copy, or format a new store`)
}

function parseReserved(content: Uint8Array): number | undefined {
  try {
    const fields = JSON.parse(Buffer.from(content).toString()) as { reserved?: unknown } | null
    const reserved = fields?.reserved
    return Number.isSafeInteger(reserved) && Number(reserved) >= 0 ? Number(reserved) : undefined
  } catch {
    // Not JSON is damage like any other.
    return undefined
  }
}
