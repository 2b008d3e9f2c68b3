import type { Command } from 'commander'
import type { ConnectOptions } from '../client/index.ts'
import { parseSize } from './quantities.ts'
import { Setting } from './setting.ts'

export interface RateOptions {
  readonly limitUpload?: number
  readonly limitDownload?: number
}

/** How fast a command may send to nodes and read from them. */
export function addRateOptions(command: Command): Command {
  const upload = new Setting('--limit-upload <rate>', 'bytes a second to send at most, for example 5MB', parseRate)
  const download = new Setting('--limit-download <rate>', 'bytes a second to read at most', parseRate)
  return command.addOption(upload).addOption(download)
}

/** `5MB` and `5MB/s` a second; 0 and `off` mean as fast as it goes. @throws TwofoldError `invalid-argument` */
export function parseRate(text: string): number {
  const rate = text.trim().replace(/\/s(ec)?$/i, '')
  return rate.toLowerCase() === 'off' ? 0 : parseSize(rate)
}

export function toRates(options: RateOptions): Partial<ConnectOptions> {
  return { uploadBytesPerSecondMax: options.limitUpload, downloadBytesPerSecondMax: options.limitDownload }
}
