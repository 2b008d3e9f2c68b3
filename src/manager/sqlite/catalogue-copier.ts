import { createReadStream, createWriteStream } from 'node:fs'
import { rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { Worker } from 'node:worker_threads'
import { createZstdCompress, createZstdDecompress } from 'node:zlib'
import { sliceBytesMax } from '../../core/limits.ts'
import { createHasher } from '../../format/hash.ts'
import type { CatalogueCopier, CatalogueCopy } from '../catalogue-copies.ts'

/** SQLite works synchronously, so a large catalogue is copied in a thread of its own. Nodes get no secrets. */
const program = `
  const { workerData } = require('node:worker_threads')
  const { DatabaseSync } = require('node:sqlite')
  const source = new DatabaseSync(workerData.path)
  source.exec('PRAGMA busy_timeout = 10000')
  source.prepare('VACUUM INTO ?').run(workerData.target)
  source.close()
  const copy = new DatabaseSync(workerData.target)
  copy.exec("PRAGMA secure_delete = ON; DELETE FROM settings WHERE key = 'signing-seed'")
  copy.exec("UPDATE sessions SET token = ''")
  copy.exec('DELETE FROM pack_generations; VACUUM')
  copy.close()
`

/** Copies of the catalogue in a data directory, compressed, one at a time. */
export function catalogueCopier(dataDirectory: string, catalogueName: string): CatalogueCopier {
  const plain = join(dataDirectory, 'copying.db')
  const draft = join(dataDirectory, 'copying.db.zst')
  const final = join(dataDirectory, 'copy.db.zst')
  return {
    async make(): Promise<CatalogueCopy> {
      await rm(plain, { force: true })
      await runWorker({ path: join(dataDirectory, catalogueName), target: plain })
      await pipeline(createReadStream(plain), createZstdCompress(), createWriteStream(draft, { mode: 0o600 }))
      await rm(plain, { force: true })
      await rename(draft, final)
      const hasher = createHasher()
      for await (const piece of createReadStream(final)) hasher.update(piece as Uint8Array)
      const { size } = await stat(final)
      const read = async function* (): AsyncGenerator<Uint8Array> {
        for await (const piece of createReadStream(final, { highWaterMark: sliceBytesMax / 4 }))
          yield piece as Uint8Array
      }
      return { lengthBytes: size, hash: hasher.digest(), read }
    },
  }
}

function runWorker(data: { path: string; target: string }): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(program, { eval: true, workerData: data })
    worker.once('error', reject)
    worker.once('exit', (code) => {
      if (code === 0) resolve()
      else reject(new Error(`copying the catalogue ended with ${code}`))
    })
  })
}

const zstdMagic = 0xfd2fb528

/** Unpacks what a node kept to `target`. @returns false, and does nothing, when `path` is not compressed. */
export async function unpackCopy(path: string, target: string): Promise<boolean> {
  let first: Buffer = Buffer.alloc(0)
  for await (const piece of createReadStream(path, { end: 3 })) first = Buffer.concat([first, piece as Buffer])
  if (first.length < 4 || first.readUInt32LE(0) !== zstdMagic) return false
  await pipeline(createReadStream(path), createZstdDecompress(), createWriteStream(target, { mode: 0o600 }))
  return true
}
