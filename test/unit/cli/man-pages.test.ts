import { expect } from 'chai'
import type { Command } from 'commander'
import { allManPages } from '../../../src/cli/all-man-pages.ts'
import { helpOf } from '../../../src/cli/command-setup.ts'
import { commands } from '../../../src/cli/commands.ts'
import { createCommand } from '../../../src/cli/create-command.ts'
import { fullName, pageName } from '../../../src/cli/man-page.ts'
import { captureTerminal, surroundingsOf } from './fake-cli.ts'

/** What a reader sees of a page, without what troff is told. */
const shown = (text: string): string => text.replaceAll('\\-', '-').replaceAll('\\e', '\\').replaceAll('\\&', '')

describe('manual pages', () => {
  let pages: Map<string, string>
  let made: Command[]
  before(async () => {
    pages = new Map((await allManPages()).map(({ file, text }) => [file, shown(text)]))
    const cli = {
      ...surroundingsOf(captureTerminal().terminal),
      setExitCode: () => undefined,
      setJson: () => undefined,
    }
    const roots = await Promise.all(commands.map((entry) => createCommand(entry, cli)))
    made = roots.flatMap((command) => [command, ...command.commands])
  })

  it('are there for the program, every command and every subcommand', () => {
    const files = made.map((command) => `${pageName(fullName(command))}.1`)
    expect([...pages.keys()].sort()).to.deep.equal(['twofold.1', ...files].sort())
    for (const { name } of commands) expect(pages.get('twofold.1')).to.include(`twofold-${name}(1)`)
  })

  it('say all that --help says', () => {
    for (const command of made) {
      const name = fullName(command)
      const page = pages.get(`${pageName(name)}.1`) ?? ''
      for (const { flags, description } of command.options)
        expect(page, name).to.include(flags).and.include(description)
      for (const argument of command.registeredArguments) expect(page, name).to.include(argument.description)
      const help = helpOf(command)
      expect(help, `${name} has no examples`).not.to.equal(undefined)
      for (const line of [...(help?.examples ?? []), ...(help?.notes ?? [])]) expect(page, name).to.include(line.trim())
      for (const code of help?.exitCodes ?? []) expect(page, name).to.match(new RegExp(`^\\.B ${code}$`, 'm'))
    }
  })

  it('begin as man wants it, and have no line that troff takes for a request', () => {
    const requests = /^\.(TH|SH|TP|B|PP|br|nf|fi|\\")/
    for (const [file, page] of pages) {
      expect(page, file).to.match(/^\.\\" .*\n\.TH "TWOFOLD/)
      const odd = page.split('\n').filter((line) => /^[.']/.test(line) && !requests.test(line))
      expect(odd, file).to.deep.equal([])
    }
  })
})
