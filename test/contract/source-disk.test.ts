import { execFileSync } from 'node:child_process'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SourceDisk } from '../../src/client/source-disk.ts'
import { joinPath } from '../../src/client/source-tree.ts'
import { systemClock } from '../../src/system/clock.ts'
import { sourceTreeContract } from './source-tree.contract.ts'

sourceTreeContract('SourceDisk', () => {
  const root = Buffer.from(fs.mkdtempSync(join(tmpdir(), 'twofold-source-')))
  const at = (path: string | Uint8Array): Buffer => joinPath(root, Buffer.from(path as string))
  return {
    source: new SourceDisk(systemClock),
    root,
    directory: (path) => void fs.mkdirSync(at(path), { recursive: true }),
    file: (path, content) => fs.writeFileSync(at(path), content),
    symlink: (path, target) => fs.symlinkSync(target, at(path)),
    link: (existing, path) => fs.linkSync(at(existing), at(path)),
    fifo: (path) => void execFileSync('mkfifo', [at(path).toString()]),
    close: () => fs.rmSync(root, { recursive: true }),
  }
})
