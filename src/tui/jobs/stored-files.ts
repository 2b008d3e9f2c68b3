import { allPages } from '../../client/index.ts'
import type { Client, FileVersionInfo, SourceTree } from '../../client/index.ts'
import { tuiDeletedFilesMax, tuiFilesMax, tuiReadPieceBytes } from '../../core/client-limits.ts'
import { isTwofoldError, TwofoldError } from '../../core/errors.ts'
import type { Page, PageRequest } from '../../core/messages.ts'
import { safePath, safeText } from '../../core/safe-text.ts'
import type { News, Work } from '../work.ts'

export interface StoredFilesDeps {
  readonly client: Pick<Client, 'listFiles' | 'fileHistory' | 'history' | 'putFile' | 'getFile' | 'deleteFile'>
  readonly source: SourceTree
  /** Writes a file as a whole, or not at all. */
  readonly saveFile: (path: Uint8Array, content: AsyncIterable<Uint8Array>) => Promise<void>
  readonly signal: AbortSignal
}

type FilesWork = Extract<Work, { kind: 'list-files' | 'list-versions' | 'change-file' }>

export async function workOnFiles(deps: StoredFilesDeps, work: FilesWork): Promise<News> {
  const { client, signal } = deps
  switch (work.kind) {
    case 'list-files': {
      const { items, more } = await collect((page) => client.listFiles(page, { signal }))
      return { kind: 'files', items: [...items, ...(await deletedFiles(deps, items))], more }
    }
    case 'list-versions': {
      const { name } = work
      const { items } = await collect((page) => client.fileHistory({ name, ...page }, { signal }))
      return { kind: 'versions', name, versions: items }
    }
    case 'change-file':
      return { kind: 'file-changed', text: await change(deps, work) }
  }
}

/** Lists of files leave out those that are deleted; the history remembers the last of them. */
async function deletedFiles(
  { client, signal }: StoredFilesDeps,
  present: readonly FileVersionInfo[],
): Promise<FileVersionInfo[]> {
  const names = new Set<string>()
  for await (const { subject } of client.history({ kind: 'delete', limit: tuiDeletedFilesMax }, { signal })) {
    names.add(subject)
  }
  for (const { name } of present) names.delete(name)
  const found: FileVersionInfo[] = []
  for (const name of [...names].sort()) {
    const { items } = await client.fileHistory({ name, pageSize: 1 }, { signal })
    found.push(...items.filter(({ deleted }) => deleted))
  }
  return found
}

/** Not more of them than are shown. */
async function collect(
  next: (page: PageRequest) => Promise<Page<FileVersionInfo>>,
): Promise<{ items: readonly FileVersionInfo[]; more: boolean }> {
  const items: FileVersionInfo[] = []
  for await (const item of allPages(next)) {
    if (items.length === tuiFilesMax) return { items, more: true }
    items.push(item)
  }
  return { items, more: false }
}

/** @returns what was done, for the person */
async function change(deps: StoredFilesDeps, work: Extract<Work, { kind: 'change-file' }>): Promise<string> {
  const { client, source, signal } = deps
  const { name, act } = work
  const shown = safeText(name)
  switch (act.do) {
    case 'put': {
      const { version, copies } = await client.putFile({ name }, await readFile(source, act.path), { signal })
      return `${shown}: version ${version} is stored, ${copies} fsynced copies`
    }
    case 'bring-back': {
      // Its content is known to the cluster: nothing of it is sent again.
      const { content } = await client.getFile({ name, version: act.version }, { signal })
      const { version } = await client.putFile({ name }, content, { signal })
      return `${shown}: version ${act.version} is back, as version ${version}`
    }
    case 'delete':
      await client.deleteFile({ name }, { signal })
      return `${shown} is deleted; its versions can be brought back`
    case 'save': {
      await refuseToReplace(source, act.path)
      const { content } = await client.getFile({ name, version: act.version }, { signal })
      await deps.saveFile(act.path, content)
      return `${shown}, version ${act.version}, is written to ${safePath(act.path)}`
    }
  }
}

/** Opened before anything is sent, so that a wrong name fails at once. */
async function readFile(source: SourceTree, path: Uint8Array): Promise<AsyncIterable<Uint8Array>> {
  const { type } = await source.stat(path, { follow: true }).catch((error: unknown) => {
    if (!isTwofoldError(error, 'not-found')) throw error
    throw new TwofoldError('not-found', `There is no ${safePath(path)}: type another name.`)
  })
  if (type !== 'file') throw new TwofoldError('invalid-argument', `${safePath(path)} is no file: type another name.`)
  const file = await source.open(path)
  return pieces(file)
}

async function* pieces(file: Awaited<ReturnType<SourceTree['open']>>): AsyncGenerator<Uint8Array> {
  try {
    for (let offset = 0; ;) {
      const piece = Buffer.allocUnsafeSlow(tuiReadPieceBytes)
      const length = await file.read(piece, offset)
      if (length === 0) return
      offset += length
      yield piece.subarray(0, length)
    }
  } finally {
    await file.close()
  }
}

async function refuseToReplace(source: SourceTree, path: Uint8Array): Promise<void> {
  try {
    await source.stat(path)
  } catch (error) {
    if (isTwofoldError(error, 'not-found')) return
    throw error
  }
  throw new TwofoldError('already-exists', `${safePath(path)} is there already: type another name.`)
}
