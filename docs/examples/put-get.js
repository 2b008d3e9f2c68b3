// A complete client of Twofold's Files service. It loads proto/ at run time; README.md says how to run it.
import { createReadStream, createWriteStream } from 'node:fs'
import { basename } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import grpc from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'

const includeDirs = [fileURLToPath(new URL('../../proto', import.meta.url))]
const definition = loadSync('twofold/v1/files.proto', { includeDirs, longs: String })
const { Files } = grpc.loadPackageDefinition(definition).twofold.v1
const files = new Files(process.env.TWOFOLD_NODE ?? '127.0.0.1:7401', grpc.credentials.createInsecure())

/** Resolves when the file is durable on two nodes. `pipeline` reads no faster than the node takes it. */
const put = (path, name = basename(path)) =>
  new Promise((resolve, reject) => {
    const call = files.put((error, answer) => (error ? reject(error) : resolve(answer.version)))
    const messages = async function* () {
      yield { header: { name } }
      for await (const data of createReadStream(path, { highWaterMark: 256 * 1024 })) yield { data }
    }
    // Without cancel, a file that cannot be read to its end would be stored as far as it was read.
    pipeline(messages, call).catch((error) => (reject(error), call.cancel()))
  }).then(({ name, version, copies }) => console.log(`${name}: version ${version}, ${copies} copies`))

const get = (name, path) => {
  const contentOf = async function* (messages) {
    for await (const { data } of messages) if (data) yield data
  }
  return pipeline(files.get({ name }), contentOf, path ? createWriteStream(path) : process.stdout)
}

const list = async (prefix, pageToken) => {
  const page = await promisify(files.list).call(files, { prefix, pageToken })
  for (const { name, version, lengthBytes = 0 } of page.files ?? []) console.log(`${name}\t${version}\t${lengthBytes}`)
  if (page.nextPageToken) await list(prefix, page.nextPageToken)
}

const [command, ...operands] = process.argv.slice(2)
const run = { put, get, list }[command] ?? (() => Promise.reject(new Error('put FILE [NAME] | get NAME [FILE] | list')))
await run(...operands).catch((error) => {
  console.error(error.details || error.message)
  process.exitCode = 1
})
files.close()
