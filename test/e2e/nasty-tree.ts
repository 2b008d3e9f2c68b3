import { execFileSync } from 'node:child_process'
import * as fs from 'node:fs'
import { join } from 'node:path'
import { seededBytes } from './seeded-bytes.ts'

/** What a backup must bring back as it was, in all the ways in which files can be awkward. */
export function makeNastyTree(root: string): void {
  fs.mkdirSync(root)
  makeContents(join(root, 'contents'))
  makeNames(join(root, 'names'))
  makeLinks(join(root, 'links'))
  makeShapes(join(root, 'shapes'))
  makeSparse(join(root, 'sparse'))
  makeMetadata(join(root, 'metadata'))
}

/** Something that is skipped with a note. */
export function makeUnsaved(folder: string): void {
  execFileSync('mkfifo', [join(folder, 'a pipe')])
}

function makeContents(folder: string): void {
  fs.mkdirSync(folder)
  fs.writeFileSync(join(folder, 'empty'), '')
  fs.writeFileSync(join(folder, 'one byte'), 'x')
  fs.writeFileSync(join(folder, 'text'), 'the same line again\n'.repeat(50_000))
  fs.writeFileSync(join(folder, 'random'), seededBytes(1, 5_000_000))
  fs.writeFileSync(join(folder, 'the same random'), seededBytes(1, 5_000_000))
}

function makeNames(folder: string): void {
  fs.mkdirSync(folder)
  const odd = ['new\nline', 'tab\t', ' blanks ', '-rf', '\\', '"quotes\'', '\x1b[31m', '*', 'ü', '~']
  const names = [...odd, 'x'.repeat(255)]
  const bytes = [...names.map((name) => Buffer.from(name)), Buffer.from([0xff, 0xfe, 0x41]), Buffer.from([0xc3, 0x28])]
  for (const name of bytes) fs.writeFileSync(below(folder, name), name)
  fs.mkdirSync(below(folder, Buffer.from([0x64, 0x80])))
  fs.writeFileSync(below(below(folder, Buffer.from([0x64, 0x80])), Buffer.from('inside')), 'inside')
}

function makeLinks(folder: string): void {
  fs.mkdirSync(join(folder, 'elsewhere'), { recursive: true })
  fs.symlinkSync('elsewhere', join(folder, 'to a folder'))
  fs.symlinkSync('nowhere/at/all', join(folder, 'dangling'))
  fs.symlinkSync('/etc/hostname', join(folder, 'absolute'))
  fs.symlinkSync('itself', join(folder, 'itself'))
  fs.symlinkSync(Buffer.from([0xff, 0x2f, 0xfe]), join(folder, 'to bytes'))
  fs.writeFileSync(join(folder, 'first name'), 'one file with three names')
  fs.linkSync(join(folder, 'first name'), join(folder, 'second name'))
  fs.linkSync(join(folder, 'first name'), join(folder, 'elsewhere', 'third name'))
}

function makeShapes(folder: string): void {
  fs.mkdirSync(join(folder, 'empty'), { recursive: true })
  fs.mkdirSync(join(folder, ...Array.from({ length: 100 }, (_, depth) => `deep ${depth}`)), { recursive: true })
  fs.mkdirSync(join(folder, 'wide'))
  for (let number = 0; number < 3000; number++) fs.writeFileSync(join(folder, 'wide', `${number}`), `${number}`)
}

function makeSparse(folder: string): void {
  fs.mkdirSync(folder)
  writeAt(join(folder, 'only a hole'), 10 * 1024 ** 2, [])
  writeAt(join(folder, 'holes between'), 30 * 1024 ** 2, [0, 9_999_999, 25_000_000])
  writeAt(join(folder, 'over 4 GiB'), 4.5 * 1024 ** 3, [4096, 4.2 * 1024 ** 3])
}

function writeAt(file: string, length: number, offsets: readonly number[]): void {
  const descriptor = fs.openSync(file, 'wx')
  fs.ftruncateSync(descriptor, length)
  for (const offset of offsets) fs.writeSync(descriptor, seededBytes(2, 70_000), 0, 70_000, Math.floor(offset))
  fs.closeSync(descriptor)
}

function makeMetadata(folder: string): void {
  fs.mkdirSync(folder)
  for (const mode of [0o000, 0o400, 0o644, 0o777, 0o4755, 0o2755]) {
    // Only root can read a file without any permission.
    if (mode === 0 && process.getuid?.() !== 0) continue
    const file = join(folder, `mode ${mode.toString(8)}`)
    fs.writeFileSync(file, 'x')
    fs.chmodSync(file, mode)
  }
  fs.mkdirSync(join(folder, 'sticky'))
  fs.chmodSync(join(folder, 'sticky'), 0o1777)
  fs.mkdirSync(join(folder, 'read-only'))
  fs.writeFileSync(join(folder, 'read-only', 'file'), 'x')
  fs.chmodSync(join(folder, 'read-only'), 0o555)
  for (const time of [
    '1955-11-05 06:15:00.000000001',
    '2001-02-03 04:05:06.123456789',
    '2106-02-07 06:28:16.999999999',
  ]) {
    const file = join(folder, time.slice(0, 10))
    fs.writeFileSync(file, 'x')
    execFileSync('touch', ['-d', `${time}Z`, file])
  }
  if (process.getuid?.() === 0) {
    fs.writeFileSync(join(folder, 'owned'), 'x')
    fs.chownSync(join(folder, 'owned'), 12_345, 54_321)
    fs.symlinkSync('owned', join(folder, 'owned link'))
    fs.lchownSync(join(folder, 'owned link'), 12_345, 54_321)
  }
}

function below(folder: string | Buffer, name: Buffer): Buffer {
  return Buffer.concat([Buffer.from(folder), Buffer.from('/'), name])
}
