import type { Disk, DiskFile } from '../core/disk.ts'
import { isTwofoldError } from '../core/errors.ts'
import { decodeLogRecord, encodeLogRecord } from './log-record.ts'
import type { LogRecord } from './log-record.ts'

const directory = 'log'
const filePattern = /^(\d{8})\.log$/
const readBytes = 64 * 1024

/**
 * Log records in files that are only ever appended to: a new one for each run of the program, and after a failure. The
 * end of any of them may be torn.
 */
export class LogFiles {
  readonly #disk: Disk
  #numbers: number[]
  #open: { readonly file: DiskFile; length: number } | undefined

  private constructor(disk: Disk, numbers: number[]) {
    this.#disk = disk
    this.#numbers = numbers
  }

  static async open(disk: Disk): Promise<LogFiles> {
    await disk.makeDirectory(directory)
    const numbers: number[] = []
    for (const { name } of await disk.list(directory)) {
      const number = filePattern.exec(name)?.[1]
      if (number !== undefined) numbers.push(Number(number))
      else if (name.endsWith('.tmp')) await disk.remove(`${directory}/${name}`)
    }
    return new LogFiles(
      disk,
      numbers.toSorted((a, b) => a - b),
    )
  }

  get count(): number {
    return this.#numbers.length
  }

  /** All records that can be read, the oldest first. */
  async *read(): AsyncGenerator<LogRecord> {
    for (const number of [...this.#numbers]) yield* this.#readFile(pathOf(number))
  }

  async *#readFile(path: string): AsyncGenerator<LogRecord> {
    let file: DiskFile
    try {
      file = await this.#disk.open(path)
    } catch (error) {
      // Put together with others since this reading began; the others have its records.
      if (isTwofoldError(error, 'not-found')) return
      throw error
    }
    try {
      let bytes: Uint8Array = Buffer.alloc(0)
      let offset = 0
      for (;;) {
        const found = decodeLogRecord(bytes)
        if (found?.record !== undefined) {
          yield found.record
          bytes = bytes.subarray(found.length)
          continue
        }
        const more = await readMore(file, offset, Math.max(readBytes, found?.length ?? 0))
        if (more.length === 0) return
        offset += more.length
        bytes = Buffer.concat([bytes, more])
        // Whatever begins with a damaged record ends here.
        if (bytes.length >= 9 && decodeLogRecord(bytes) === undefined) return
      }
    } finally {
      await file.close()
    }
  }

  /** Resolves when the records are durable. After a failure the next ones go to another file. */
  async append(records: readonly LogRecord[]): Promise<void> {
    const bytes = Buffer.concat(records.map(encodeLogRecord))
    try {
      const fresh = this.#open === undefined
      this.#open ??= await this.#create()
      await this.#open.file.write(bytes, this.#open.length)
      await this.#open.file.sync()
      if (fresh) await this.#disk.syncDirectory(directory)
      this.#open.length += bytes.length
    } catch (error) {
      await this.close()
      throw error
    }
  }

  async #create(): Promise<{ file: DiskFile; length: number }> {
    const number = (this.#numbers.at(-1) ?? 0) + 1
    this.#numbers.push(number)
    return { file: await this.#disk.create(pathOf(number)), length: 0 }
  }

  /** Puts all files together into one that has `keep` at its end instead of the positions in them. */
  async merge(keep: readonly LogRecord[]): Promise<void> {
    await this.close()
    const old = [...this.#numbers]
    const number = (old.at(-1) ?? 0) + 1
    const draft = `${directory}/merged.tmp`
    const file = await this.#disk.create(draft)
    try {
      let length = 0
      const add = async (record: LogRecord): Promise<void> => {
        const bytes = encodeLogRecord(record)
        await file.write(bytes, length)
        length += bytes.length
      }
      for await (const record of this.read()) if (record.type !== 'witness') await add(record)
      for (const record of keep) await add(record)
      await file.sync()
    } finally {
      await file.close()
    }
    await this.#disk.rename(draft, pathOf(number))
    await this.#disk.syncDirectory(directory)
    this.#numbers = [number]
    for (const each of old) {
      await this.#disk.remove(pathOf(each)).catch((error: unknown) => {
        if (!isTwofoldError(error, 'not-found')) throw error
      })
    }
    await this.#disk.syncDirectory(directory)
  }

  async close(): Promise<void> {
    const open = this.#open
    this.#open = undefined
    await open?.file.close()
  }
}

async function readMore(file: DiskFile, offset: number, length: number): Promise<Uint8Array> {
  const target = Buffer.alloc(length)
  return target.subarray(0, await file.read(target, offset))
}

function pathOf(number: number): string {
  return `${directory}/${String(number).padStart(8, '0')}.log`
}
