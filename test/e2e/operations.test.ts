import { DocumentShell } from './document-shell.ts'

/** One after the other, on the same cluster, which the first one starts. */
const documents = [
  'docs/operations.md',
  'docs/howto/dead-node.md',
  'docs/howto/lost-manager.md',
  'docs/howto/upgrade.md',
]

describe('the documents about operations', () => {
  let shell: DocumentShell

  before(async () => {
    shell = await DocumentShell.open(4)
  })
  after(() => shell.close())

  for (const document of documents) DocumentShell.follows(document, () => shell)
})
