import { PassThrough, Readable } from 'node:stream'
import { ZipFile } from 'yazl'
import { TwofoldError } from '../core/errors.ts'
import type { CallOptions } from '../core/model.ts'
import { readContent } from './content-stream.ts'
import { RecentChunks } from './recent-chunks.ts'
import { showPath } from './snapshot-path.ts'
import type { ReadDeps, SnapshotDirectory } from './snapshot-tree.ts'
import type { ListedEntry } from './tree-walker.ts'

const typeBits = { file: 0o100000, directory: 0o040000, symlink: 0o120000 } as const
const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

interface ZipSource {
  readonly directory: SnapshotDirectory
  readonly entries: AsyncIterable<ListedEntry>
}

/**
 * Streams entries as a zip: modes, symbolic links and times to two seconds; a file with several names is there several
 * times. @throws TwofoldError `invalid-argument` for a name that a zip cannot hold; the content as `ChunkLoader.load`
 */
export function zipArchive(deps: ReadDeps, source: ZipSource, options: CallOptions): AsyncIterable<Uint8Array> {
  const zip = new ZipFile()
  const output = new PassThrough({ highWaterMark: 256 * 1024 })
  zip.outputStream.pipe(output)
  zip.on('error', (error: Error) => output.destroy(error))
  fill(zip, deps, { source, output, options }).then(
    () => zip.end(),
    (error: unknown) => output.destroy(error as Error),
  )
  return output
}

interface Filling {
  readonly source: ZipSource
  readonly output: PassThrough
  readonly options: CallOptions
}

async function fill(zip: ZipFile, { loader }: ReadDeps, { source, output, options }: Filling): Promise<void> {
  const { vault } = source.directory
  const content = { ...options, recent: new RecentChunks() }
  let current: Readable | undefined
  const closed = new Promise<void>((resolve) => {
    output.once('close', () => {
      current?.destroy()
      resolve()
    })
  })
  for await (const entry of source.entries) {
    if (output.destroyed) return
    const name = zipName(entry)
    const about = { mtime: new Date(Number(entry.mtimeNs / 1_000_000n)), mode: typeBits[entry.type] | entry.mode }
    if (entry.type === 'directory') zip.addEmptyDirectory(name, about)
    else if (entry.type === 'symlink') zip.addBuffer(Buffer.from(entry.target), name, { ...about, compress: false })
    else {
      const slices = readContent(loader, { vault, entry }, content)
      const stream = Readable.from(slices, { objectMode: false, highWaterMark: 256 * 1024 })
      // One after the other: each is read only when the one before is written.
      const read = new Promise<void>((resolve, reject) => stream.once('end', resolve).once('error', reject))
      current = stream
      zip.addReadStream(stream, name, { ...about, size: entry.size })
      await Promise.race([read, closed])
    }
  }
}

/** @throws TwofoldError `invalid-argument` */
function zipName({ path }: ListedEntry): string {
  const bytes = path.subarray(1)
  try {
    const name = strictUtf8.decode(bytes)
    if (!name.includes('\\') && !/^[A-Za-z]:/.test(name)) return name
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
  }
  const message = `a zip cannot hold the name ${showPath(path)}: use --format tgz, which holds any`
  throw new TwofoldError('invalid-argument', message)
}
