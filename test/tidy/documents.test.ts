import { expect } from 'chai'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { blocksIn, notRun, shellLanguages, stepsOf, testOf, whyNotRun } from '../support/documented-commands.ts'
import { projectFiles, readText, root } from './source-tree.ts'

const documents = projectFiles().filter((path) => path === 'README.md' || /^docs\/.*\.md$/.test(path))
const commandsIn = (document: string): string[] =>
  blocksIn(document)
    .filter(({ language }) => shellLanguages.includes(language))
    .flatMap(({ text }) => text.split('\n'))

describe('the commands in the documents', () => {
  it('are run by a test, or it says why not', () => {
    const withSteps = documents.filter((document) => stepsOf(document).length > 0)
    expect(Object.keys(testOf).sort()).to.deep.equal(withSteps)
  })

  it('are run by the test that is named', () => {
    for (const [document, path] of Object.entries(testOf)) {
      const [own, shell] = [readText(path), readText('test/e2e/document-shell.ts')]
      expect(own, `${path} does not name ${document}`).to.include(`'${document}'`)
      const takesThem =
        own.includes('stepsOf(') || (own.includes('DocumentShell.follows(') && shell.includes('stepsOf('))
      expect(takesThem, `${path} does not take the commands of ${document}`).to.equal(true)
    }
  })

  it('that are not run are in the documents, each with a reason', () => {
    for (const { document, command, reason } of notRun) {
      const there = commandsIn(document).some((line) => line.startsWith(command))
      expect(there, `${document} has no "${command}"`).to.equal(true)
      expect(reason).not.to.equal('')
    }
  })

  it('stand in blocks that say that they are commands', () => {
    // A drawing has no language, and neither shows commands.
    const known = [...shellLanguages, 'text', 'json', 'ini', 'yaml', '']
    for (const document of documents) {
      for (const { language, line, text } of blocksIn(document)) {
        expect(known, `${document}:${line}`).to.include(language)
        if (!shellLanguages.includes(language))
          expect(text, `${document}:${line}`).not.to.match(/^\s*(\$ |(bin\/)?twofold |make )/m)
      }
    }
  })

  it('make a block for people only of those that are not run', () => {
    const odd = documents.flatMap((document) =>
      blocksIn(document)
        .filter(({ language }) => language === 'console')
        .flatMap(({ text }) => text.split('\n').filter((line) => whyNotRun(document, line) === undefined)),
    )
    expect(odd).to.deep.equal([])
  })
})

describe('the documents', () => {
  it('link to what there is', () => {
    const broken = documents.flatMap((document) =>
      [...readText(document).matchAll(/\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)/g)]
        .map(([, path = '']) => path)
        .filter((path) => !existsSync(join(root, dirname(document), path)))
        .map((path) => `${document}: ${path}`),
    )
    expect(broken).to.deep.equal([])
  })

  it('show every picture that there is', () => {
    const shown = documents.map(readText).join('')
    const pictures = projectFiles().filter((path) => path.startsWith('docs/pictures/'))
    expect(pictures.filter((path) => !shown.includes(path.slice('docs/'.length)))).to.deep.equal([])
  })
})
