import { joinPath } from '../../src/client/source-tree.ts'
import { MemorySource } from '../support/memory-source.ts'
import { sourceTreeContract } from './source-tree.contract.ts'

sourceTreeContract('MemorySource', () => {
  const source = new MemorySource()
  const root = Buffer.from('/root')
  source.directory(root)
  const at = (path: string | Uint8Array): Buffer => joinPath(root, Buffer.from(path as string))
  return {
    source,
    root,
    directory: (path) => void source.directory(at(path)),
    file: (path, content) => void source.file(at(path), content),
    symlink: (path, target) => void source.symlink(at(path), target),
    link: (existing, path) => source.link(at(existing), at(path)),
    fifo: (path) => void source.special(at(path), 'fifo'),
    close: () => undefined,
  }
})
