/** The other side of `SourceThreaded`: lists directories in a thread of its own. */
import { parentPort } from 'node:worker_threads'
import type { MessagePort, Transferable } from 'node:worker_threads'
import { TwofoldError } from '../core/errors.ts'
import type { ErrorCode } from '../core/errors.ts'
import { SourceDisk } from './source-disk.ts'
import type { ListingMemory } from './packed-listing.ts'

export interface ListingQuestion {
  readonly id: number
  readonly path: Uint8Array
}

export interface ListingAnswer {
  readonly id: number
  readonly result: ListingMemory | { readonly code: ErrorCode; readonly message: string; readonly cause: unknown }
}

/** Entries of the directories that are answered in one message: a message costs as much as some thirty of them. */
const entriesPerMessage = 1024

const nobodyElse = { yield: () => Promise.resolve() }

async function answer(questions: readonly ListingQuestion[], port: MessagePort): Promise<void> {
  const disk = new SourceDisk(nobodyElse)
  let answers: ListingAnswer[] = []
  let memory: Transferable[] = []
  let entries = 0
  const send = (): void => {
    port.postMessage(answers, memory)
    answers = []
    memory = []
    entries = 0
  }
  for (const { id, path } of questions) {
    const listing = await attempt(() => disk.list(path))
    if (listing instanceof TwofoldError) {
      const { code, message, cause } = listing
      answers.push({ id, result: { code, message, cause } })
    } else {
      answers.push({ id, result: listing.memory })
      memory.push(listing.memory.words.buffer, listing.memory.names.buffer)
      entries += listing.count
    }
    if (entries >= entriesPerMessage) send()
  }
  if (answers.length > 0) send()
}

async function attempt<T>(work: () => Promise<T>): Promise<T | TwofoldError> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof TwofoldError) return error
    throw error
  }
}

const port = parentPort
port?.on('message', (questions: readonly ListingQuestion[]) => void answer(questions, port))
