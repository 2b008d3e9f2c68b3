import { DocumentShell } from './document-shell.ts'

/** One after the other, on the same cluster. */
const documents = [
  'docs/tutorial.md',
  'docs/howto.md',
  'docs/howto/laptop.md',
  'docs/howto/schedules.md',
  'docs/howto/fleet.md',
  'docs/examples/README.md',
  'README.md',
]

describe('the documents for newcomers', () => {
  let shell: DocumentShell

  before(async () => {
    shell = await DocumentShell.open(3)
    await shell.run('make up')
  })
  after(() => shell.close())

  for (const document of documents) DocumentShell.follows(document, () => shell)
})
