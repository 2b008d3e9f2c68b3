import { openSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import type { ErrorCode } from '../core/errors.ts'
import { freeBytes } from '../core/free-bytes.ts'
import { DirectoryHandles, rootFlags } from './directory-handles.ts'
import { unpackFiles } from './file-batch.ts'
import type { FileBatch } from './file-batch.ts'
import { loadFileTimes } from './file-times.ts'
import { MetadataSetter } from './metadata-setter.ts'
import { loadUnnamedFiles } from './unnamed-files.ts'
import { WholeFileWriter } from './whole-file-writer.ts'

/** What a thread is started with. */
export interface WritingThreadData {
  /** Path of the open root, through which the thread opens it for itself. */
  readonly root: string
  /** Beginning of its temporary names; no other thread or run has the same. */
  readonly mark: string
  readonly directoriesOpenMax: number
}

export interface WritingOrder {
  readonly content: Uint8Array
  readonly batch: FileBatch
}

/** What a thread answers to an order: the files that could not be written. Orders are answered in their order. */
export type WritingAnswer = readonly { readonly index: number; readonly code: ErrorCode; readonly message: string }[]

/** The body of a thread that writes whole files into a target. An empty message ends it. */
async function run(): Promise<void> {
  const { root, mark, directoriesOpenMax } = workerData as WritingThreadData
  const handles = new DirectoryHandles(openSync(root, rootFlags), directoriesOpenMax)
  let temporaries = 0
  const writer = new WholeFileWriter({
    handles,
    metadata: new MetadataSetter(await loadFileTimes()),
    unnamed: await loadUnnamedFiles(),
    temporaryName: () => Buffer.from(`${mark}${(temporaries += 1)}.tmp`),
  })
  parentPort?.on('message', (order: WritingOrder | undefined) => {
    if (order === undefined) {
      handles.close()
      return parentPort?.close()
    }
    const errors = writer.write(unpackFiles(order.content, order.batch))
    const answer = errors.flatMap((error, index) =>
      error === undefined ? [] : [{ index, code: error.code, message: error.message }],
    )
    freeBytes(order.content)
    parentPort?.postMessage(answer satisfies WritingAnswer)
  })
}

await run()
