import { readFileSync, readlinkSync } from 'node:fs'
import { posix } from 'node:path'

/**
 * An argument as the bytes that the shell passed. Node decodes arguments as UTF-8 and replaces what is none, so a name
 * that is not UTF-8 is looked up in what the kernel remembers of the command line.
 */
export function argumentBytes(argument: string): Buffer {
  if (!argument.includes('\ufffd')) return Buffer.from(argument)
  return rawArguments().find((raw) => raw.toString('utf8') === argument) ?? Buffer.from(argument)
}

function rawArguments(): Buffer[] {
  // Byte for byte: latin1 keeps each byte as one character.
  const parts = readFileSync('/proc/self/cmdline', 'latin1').split('\0')
  return parts.map((part) => Buffer.from(part, 'latin1'))
}

/** The absolute path, without `.`, `..` and double slashes; symbolic links are not followed. */
export function absolutePath(path: Uint8Array): Buffer {
  const text = Buffer.from(path).toString('latin1')
  return Buffer.from(text.startsWith('/') ? posix.normalize(text) : posix.resolve(currentDirectory(), text), 'latin1')
}

function currentDirectory(): string {
  return readlinkSync('/proc/self/cwd', { encoding: 'latin1' })
}

/** Like `absolutePath`, without a slash at the end. */
export function absoluteArgument(argument: string): Buffer {
  const path = absolutePath(argumentBytes(argument))
  return path.length > 1 && path.at(-1) === 0x2f ? path.subarray(0, -1) : path
}
