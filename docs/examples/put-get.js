// A complete client of Twofold's Files service. It loads proto/ at run time; README.md says how to run it.
import { createReadStream, createWriteStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import grpc from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'

const includeDirs = [fileURLToPath(new URL('../../proto', import.meta.url))]
const definition = loadSync('twofold/v1/files.proto', { includeDirs, longs: String, defaults: true })
const { Files } = grpc.loadPackageDefinition(definition).twofold.v1
const files = new Files(process.env.TWOFOLD_NODE ?? '127.0.0.1:7401', grpc.credentials.createInsecure())
const show = ({ name, version, lengthBytes, copies }) => console.log([name, version, lengthBytes, copies].join('\t'))

/** Resolves when the file is durable on two nodes. `pipeline` reads no faster than the node takes it. */
const put = (path, name = path) =>
  new Promise((resolve, reject) => {
    const call = files.put((error, answer) => (error ? reject(error) : resolve(show(answer.version))))
    const messages = async function* () {
      yield { header: { name } }
      for await (const data of createReadStream(path, { highWaterMark: 256 * 1024 })) yield { data }
    }
    // Without cancel, a file that cannot be read to its end would be stored as far as it was read.
    pipeline(messages, call).catch((error) => (reject(error), call.cancel()))
  })

const get = (name, path) => {
  const contentOf = (messages) => messages.map(({ data }) => data).filter((data) => data?.length > 0)
  return pipeline(files.get({ name }), contentOf, path ? createWriteStream(path) : process.stdout)
}

const list = async (prefix) => (await promisify(files.list).call(files, { prefix, pageSize: 1000 })).files.forEach(show)

const [command, ...operands] = process.argv.slice(2)
const run = { put, get, list }[command] ?? (() => Promise.reject(new Error('put FILE [NAME] | get NAME [FILE] | list')))
await run(...operands).catch((error) => {
  console.error(error.details || error.message)
  process.exitCode = 1
})
files.close()
