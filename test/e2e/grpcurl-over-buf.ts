/**
 * What of grpcurl's command line the documents use, carried out by `buf curl`: a gRPC client that is not ours either,
 * and comes as a package. It has the flags, the output and the exit codes of grpcurl 1.8 and 1.9.
 *
 *     grpcurl-over-buf.ts -plaintext [-v] [-emit-defaults] [-max-time S] [-d JSON|@] ADDRESS (list|describe|METHOD) …
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { DescriptorProto, MethodDescriptorProto } from '@bufbuild/protobuf/wkt'

const buf = join(import.meta.dirname, '../../node_modules/.bin/buf')
const reflectionMethod = 'grpc.reflection.v1.ServerReflection/ServerReflectionInfo'

/** grpcurl's flags have one dash; each may have two. */
const { values, positionals } = parseArgs({
  args: process.argv.slice(2).map((argument) => argument.replace(/^-(?=[a-z][a-z-]+$)/, '--')),
  options: {
    plaintext: { type: 'boolean' },
    v: { type: 'boolean', short: 'v' },
    'emit-defaults': { type: 'boolean' },
    'max-time': { type: 'string' },
    d: { type: 'string', short: 'd' },
  },
  allowPositionals: true,
})
const [address = '', action = '', symbol = ''] = positionals

interface Outcome {
  readonly stdout: string
  readonly stderr: string
}

function fail(message: string, code: number): never {
  process.stderr.write(`${message}\n`)
  process.exit(code)
}

/** The status as grpcurl prints it, from what buf prints and exits with. */
function failLikeGrpcurl(stderr: string, exitCode: number): never {
  // Below 8 it is buf's own trouble, above it is a status, times 8.
  if (exitCode < 8) return fail(stderr, 1)
  const { code, message } = JSON.parse(stderr.slice(stderr.indexOf('{\n'))) as { code: string; message: string }
  const name = code.replace(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase())
  return fail(`ERROR:\n  Code: ${name}\n  Message: ${message}`, 64 + (exitCode >> 3))
}

function bufCurl(args: readonly string[], stdio: 'pipe' | 'inherit', input?: string): Outcome {
  const all = ['curl', '--protocol', 'grpc', '--http2-prior-knowledge', ...args]
  const stdin = input === undefined ? {} : { input }
  const { status, stdout, stderr } = spawnSync(buf, all, {
    encoding: 'utf8',
    stdio: [input === undefined ? 'inherit' : 'pipe', stdio, 'pipe'],
    ...stdin,
  })
  if (values.v === true) printTrailers(stderr)
  if (status !== 0) failLikeGrpcurl(stderr, status ?? 1)
  return { stdout: stdout ?? '', stderr }
}

/** Of all that `-v` makes both of them say, the headers that came last, which are the trailers when a call fails. */
function printTrailers(stderr: string): void {
  process.stdout.write('\nResponse trailers received:\n')
  for (const [, name = '', value = ''] of stderr.matchAll(/^buf: < \(#2\) ([A-Z][\w-]*): (.*)$/gm)) {
    process.stdout.write(`${name.toLowerCase()}: ${value}\n`)
  }
}

function list(): void {
  if (symbol === '') process.stdout.write(bufCurl(['--list-services', `http://${address}`], 'pipe').stdout)
  else {
    const methods = bufCurl(['--list-methods', `http://${address}`], 'pipe').stdout.split('\n')
    const found = methods.filter((method) => method.startsWith(`${symbol}/`))
    if (found.length === 0) fail(`Failed to list methods for service "${symbol}": Service not found: ${symbol}`, 1)
    process.stdout.write(found.map((method) => `${method.replace('/', '.')}\n`).join(''))
  }
}

/** The serialized `FileDescriptorProto`s that describe a symbol. */
function reflect(name: string): Buffer[] {
  const request = JSON.stringify({ fileContainingSymbol: name })
  const { stdout } = bufCurl(['-d', '@-', `http://${address}/${reflectionMethod}`], 'pipe', request)
  const answer = JSON.parse(stdout) as { fileDescriptorResponse?: { fileDescriptorProto: string[] } }
  const files = answer.fileDescriptorResponse?.fileDescriptorProto
  if (files === undefined) return fail(`Failed to resolve symbol "${name}": Symbol not found: ${name}`, 1)
  return files.map((text) => Buffer.from(text, 'base64'))
}

async function describe(name: string): Promise<void> {
  // Only here: it takes a while to load.
  const { fromBinary } = await import('@bufbuild/protobuf')
  const { FileDescriptorProtoSchema } = await import('@bufbuild/protobuf/wkt')
  for (const bytes of reflect(name)) {
    const file = fromBinary(FileDescriptorProtoSchema, bytes)
    const full = (own: string): string => `${file.package}.${own}`
    for (const message of file.messageType) {
      if (full(message.name) === name) process.stdout.write(`${name} is a message:\n${messageText(message)}\n`)
    }
    for (const service of file.service) {
      const methods = service.method.map((method) => ({ method, path: `${full(service.name)}.${method.name}` }))
      const texts = methods.map(({ method }) => methodText(method)).join('\n')
      if (full(service.name) === name) process.stdout.write(`${name} is a service:\n${texts}\n`)
      const named = methods.find(({ path }) => path === name)
      if (named !== undefined) process.stdout.write(`${name} is a method:\n${methodText(named.method)}\n`)
    }
  }
}

function methodText({ name, clientStreaming, inputType, serverStreaming, outputType }: MethodDescriptorProto): string {
  const shown = (type: string, streaming: boolean): string => `( ${streaming ? 'stream ' : ''}${type} )`
  return `rpc ${name} ${shown(inputType, clientStreaming)} returns ${shown(outputType, serverStreaming)};`
}

/** By their numbers in descriptor.proto; those that the documents show. */
const scalarNames: Readonly<Record<number, string>> = {
  3: 'int64',
  4: 'uint64',
  8: 'bool',
  9: 'string',
  12: 'bytes',
  13: 'uint32',
}

function messageText({ name, field: fields }: DescriptorProto): string {
  const lines = fields.map((field) => {
    const type = field.typeName === '' ? (scalarNames[field.type] ?? 'scalar') : field.typeName
    return `  ${type} ${field.name} = ${field.number};`
  })
  return [`message ${name} {`, ...lines, '}'].join('\n')
}

function call(method: string): void {
  const { d: data = '{}', 'max-time': seconds, 'emit-defaults': defaults, v: verbose } = values
  const options = [
    ...(seconds === undefined ? [] : ['--timeout', `${seconds}s`]),
    ...(defaults === true ? ['--emit-defaults'] : []),
    ...(verbose === true ? ['-v'] : []),
  ]
  bufCurl([...options, '-d', data === '@' ? '@-' : data, `http://${address}/${method}`], 'inherit')
}

if (values.plaintext !== true) fail(`Failed to dial target host "${address}": tls: first record does not look …`, 1)
if (action === 'list') list()
else if (action === 'describe') await describe(symbol)
else call(action)
