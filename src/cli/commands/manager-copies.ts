import type { Command } from 'commander'
import { backUpCatalogue, restoreCatalogue } from '../../manager/main.ts'
import { absoluteArgument } from '../argument-bytes.ts'
import type { Cli } from '../cli.ts'
import { addAction, addCommonOptions, addHelp } from '../command-setup.ts'
import type { CommonOptions } from '../command-setup.ts'
import { Setting } from '../setting.ts'

interface BackupOptions extends CommonOptions {
  readonly data: string
  readonly to: string
}

interface RestoreOptions extends CommonOptions {
  readonly data: string
  readonly from: string
}

const path = (text: string): string => absoluteArgument(text).toString()

/** The commands that copy the catalogue. They work on the manager's machine, on its files. */
export function defineCatalogueCopies(manager: Command, cli: Cli): void {
  const data = (): Setting => new Setting('--data <folder>', 'where the catalogue is').default('twofold-manager')
  const backup = manager.command('backup-catalogue').description('copy the catalogue while the manager works, or not')
  addCommonOptions(backup).addOption(data()).requiredOption('--to <file>', 'a file that does not exist yet')
  addHelp(backup, {
    examples: ['twofold manager backup-catalogue --data /srv/manager --to /mnt/usb/catalogue.db'],
    exitCodes: [0, 1, 10, 13],
  })
  addAction<BackupOptions>(backup, cli, async ({ options, output }) => {
    await backUpCatalogue(path(options.data), path(options.to))
    await output.record({ message_type: 'catalogue_backup', file: path(options.to) })
    await output.line(`the catalogue was copied to ${options.to}`)
  })
  const restore = manager.command('restore-catalogue').description('put a copy of the catalogue back')
  addCommonOptions(restore).addOption(data()).requiredOption('--from <file>', 'what backup-catalogue made')
  addHelp(restore, {
    examples: ['twofold manager restore-catalogue --data /srv/manager --from /mnt/usb/catalogue.db'],
    notes: [
      'The manager must not run. The catalogue that is there is kept beside it. If anything happened since the copy',
      'was made, the nodes know: the manager then only reads until "twofold manager recover --from-nodes".',
    ],
    exitCodes: [0, 1, 10, 11, 13],
  })
  addAction<RestoreOptions>(restore, cli, async ({ options, output }) => {
    const kept = await restoreCatalogue(path(options.data), path(options.from))
    await output.record({ message_type: 'catalogue_restore', kept })
    const before = kept === undefined ? '' : `; the one of before is ${kept}`
    await output.line(`the catalogue was put back${before}`)
  })
}
