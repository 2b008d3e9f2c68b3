import { PassThrough } from 'node:stream'
import { systemClock } from '../system/clock.ts'
import type { Cli } from './cli.ts'
import { commands } from './commands.ts'
import { createCommand } from './create-command.ts'
import { fullName, manPages, pageName, rootPage } from './man-page.ts'
import type { ManPage } from './man-page.ts'
import { createRoot, rootNotes } from './root-command.ts'
import { readVersion } from './program-version.ts'

/** Every command as it is defined needs a surrounding; none of them runs here. */
const surroundings: Cli = {
  terminal: {
    ...{ stdout: new PassThrough(), stderr: new PassThrough() },
    ...{ interactive: false, colour: false, columns: () => 80 },
  },
  stdin: new PassThrough(),
  environment: {},
  clock: systemClock,
  signal: new AbortController().signal,
  onProgressAsked: () => () => undefined,
  setExitCode: () => undefined,
  setJson: () => undefined,
}

/** The manual pages of the program and of all commands. */
export async function allManPages(): Promise<ManPage[]> {
  const version = readVersion()
  const made = await Promise.all(commands.map((entry) => createCommand(entry, surroundings)))
  const names = made.flatMap((command) => [command, ...command.commands]).map((each) => pageName(fullName(each)))
  const context = { version, others: ['twofold', ...names] }
  const root = rootPage(createRoot(surroundings.terminal), rootNotes, context)
  return [root, ...made.flatMap((command) => manPages(command, context))]
}
