import { asBuffer } from '../core/ids.ts'

/** An entry of a tar archive. Names are bytes, as in the file system. */
export interface TarEntry {
  /** Without a leading slash. */
  readonly path: Uint8Array
  readonly type: 'file' | 'directory' | 'symlink' | 'link'
  /** Where a link of either kind leads. */
  readonly target: Uint8Array
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly user: string
  readonly group: string
  /** Length of the content in bytes; 0 unless it is a file. */
  readonly size: number
  readonly mtimeNs: bigint
}

export const tarBlockBytes = 512
const typeFlags = { file: '0', link: '1', symlink: '2', directory: '5' } as const
const sizeMax = 0o77777777777
const idMax = 0o7777777
const nanosPerSecond = 1_000_000_000n

/**
 * The header of an entry as POSIX defines it (pax): a plain ustar header, after an extended one where that cannot hold
 * a name, a number or the fraction of the time. Names that are not UTF-8 are marked as binary and survive as they are.
 */
export function tarHeader(entry: TarEntry): Buffer {
  const records = paxRecords(entry)
  const plain = ustar(entry, typeFlags[entry.type], entry.size)
  if (records.length === 0) return plain
  const body = Buffer.concat(records)
  const extended = { ...entry, path: Buffer.from('PaxHeader'), target: Buffer.alloc(0), mode: 0o644 }
  return Buffer.concat([ustar(extended, 'x', body.length), body, tarPadding(body.length), plain])
}

/** The zeros that fill the last block of `length` bytes. */
export function tarPadding(length: number): Buffer {
  return Buffer.alloc((tarBlockBytes - (length % tarBlockBytes)) % tarBlockBytes)
}

/** What an archive ends with. */
export function tarEnd(): Buffer {
  return Buffer.alloc(2 * tarBlockBytes)
}

function paxRecords(entry: TarEntry): Buffer[] {
  const records: Buffer[] = []
  const add = (key: string, value: Uint8Array | string): void => void records.push(paxRecord(key, value))
  const path = fullPath(entry)
  const names = [path, entry.target]
  if (names.some((name) => !isUtf8(name))) add('hdrcharset', 'BINARY')
  if (path.length > 100 || !isAscii(path)) add('path', path)
  if (entry.target.length > 100 || !isAscii(entry.target)) add('linkpath', entry.target)
  if (entry.size > sizeMax) add('size', String(entry.size))
  if (entry.uid > idMax) add('uid', String(entry.uid))
  if (entry.gid > idMax) add('gid', String(entry.gid))
  if (entry.mtimeNs % nanosPerSecond !== 0n || entry.mtimeNs < 0n) add('mtime', decimalSeconds(entry.mtimeNs))
  return records
}

/** `length key=value\n`, where the length counts itself. */
function paxRecord(key: string, value: Uint8Array | string): Buffer {
  const body = Buffer.concat([Buffer.from(` ${key}=`), Buffer.from(value), Buffer.from('\n')])
  let length = body.length + String(body.length).length
  if (String(length).length > String(body.length).length) length += 1
  return Buffer.concat([Buffer.from(String(length)), body])
}

function ustar(entry: TarEntry, typeFlag: string, size: number): Buffer {
  const block = Buffer.alloc(tarBlockBytes)
  const octal = (value: number, digits: number, offset: number): void =>
    void block.write(value.toString(8).padStart(digits, '0'), offset, 'latin1')
  block.set(fullPath(entry).subarray(0, 100), 0)
  octal(entry.mode & 0o7777, 7, 100)
  octal(Math.min(entry.uid, idMax), 7, 108)
  octal(Math.min(entry.gid, idMax), 7, 116)
  octal(Math.min(size, sizeMax), 11, 124)
  octal(Math.min(Math.max(0, Number(entry.mtimeNs / nanosPerSecond)), sizeMax), 11, 136)
  block.write(typeFlag, 156, 'latin1')
  block.set(entry.target.subarray(0, 100), 157)
  block.write('ustar\x0000', 257, 'latin1')
  block.write(entry.user.slice(0, 31), 265, 'latin1')
  block.write(entry.group.slice(0, 31), 297, 'latin1')
  block.fill(' ', 148, 156)
  const sum = block.reduce((total, byte) => total + byte, 0)
  octal(sum, 6, 148)
  block.write('\0 ', 154, 'latin1')
  return block
}

function fullPath({ path, type }: TarEntry): Buffer {
  return type === 'directory' && path.at(-1) !== 0x2f ? Buffer.concat([path, Buffer.from('/')]) : asBuffer(path)
}

function decimalSeconds(ns: bigint): string {
  const size = ns < 0n ? -ns : ns
  const fraction = String(size % nanosPerSecond).padStart(9, '0')
  return `${ns < 0n ? '-' : ''}${size / nanosPerSecond}.${fraction}`
}

function isAscii(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte < 0x80)
}

function isUtf8(bytes: Uint8Array): boolean {
  return Buffer.from(asBuffer(bytes).toString('utf8')).equals(bytes)
}
