import { TwofoldError } from '../core/errors.ts'
import type { CallOptions, FileRecord } from '../core/model.ts'
import { readContent } from './content-stream.ts'
import { toFileVersion } from './file-version.ts'
import type { FileVersionInfo } from './file-version.ts'
import { checkFileName, fileContentName } from './put-file.ts'
import { toSnapshotInfo } from './snapshot-info.ts'
import { findEntry, rootOf } from './snapshot-tree.ts'
import type { ReadDeps } from './snapshot-tree.ts'

export interface GetFileRequest {
  readonly name: string
  /** Empty means `default`. */
  readonly vault?: string | undefined
  /** 0 means the newest. */
  readonly version?: number | undefined
}

export interface OpenedFile {
  readonly version: FileVersionInfo
  /** In order, in pieces of at most 1 MiB. */
  readonly content: AsyncIterable<Uint8Array>
}

/**
 * Opens a version of a named file for reading.
 * @throws TwofoldError `not-found` when there is no such file or version, or it is deleted and no version was named;
 * `invalid-argument` for a name that no file can have; the content then as `ChunkLoader.load`
 */
export async function openFile(
  deps: ReadDeps,
  request: GetFileRequest,
  options: CallOptions = {},
): Promise<OpenedFile> {
  // Without a name the manager would list all files.
  checkFileName(request.name)
  const record = await findVersion(deps, request, options)
  if (record.snapshot === undefined) {
    throw new TwofoldError('not-found', `${shown(request)} was deleted; ask for an older version of its history`)
  }
  const directory = rootOf(toSnapshotInfo(record.snapshot))
  const path = Buffer.from(fileContentName)
  const { entry } = await findEntry(deps.loader, { directory, path }, options)
  return {
    version: toFileVersion(record),
    content: readContent(deps.loader, { vault: directory.vault, entry }, options),
  }
}

async function findVersion({ manager }: ReadDeps, request: GetFileRequest, options: CallOptions): Promise<FileRecord> {
  const { name, vault = '', version = 0 } = request
  const page = await manager.listFileVersions({ vault, name, prefix: '', version, pageSize: 1, pageToken: '' }, options)
  const found = page.items[0]
  if (found === undefined) {
    const advice = version === 0 ? 'list the files to see their names' : 'its history says which there are'
    throw new TwofoldError('not-found', `there is no ${shown(request)}; ${advice}`)
  }
  return found
}

function shown({ name, version = 0 }: GetFileRequest): string {
  return version === 0 ? `file "${name}"` : `version ${version} of file "${name}"`
}
