import { pino } from 'pino'
import type { Logger as PinoLogger } from 'pino'
import { describeError } from '../core/errors.ts'
import type { LogFields, Logger } from '../core/logger.ts'

export interface LoggerOptions {
  /** `debug`, `info`, `warn`, `error` or `silent`. */
  readonly level: string
  /** Name of the process; stands in every line. */
  readonly name: string
  readonly destination?: 'stdout' | 'stderr'
}

/** Errors as text with their causes; their stack only where it helps, in lines of level `error`. */
function plain(fields: LogFields, withStack: boolean): Record<string, unknown> {
  const result: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(fields)) {
    result[name] = value instanceof Error ? describeError(value) : value
    if (withStack && value instanceof Error) result.stack = value.stack
  }
  return result
}

function wrap(target: PinoLogger): Logger {
  const write = (level: 'debug' | 'info' | 'warn' | 'error', message: string, fields: LogFields = {}): void => {
    if (target.isLevelEnabled(level)) target[level](plain(fields, level === 'error'), message)
  }
  return {
    debug: (message, fields) => write('debug', message, fields),
    info: (message, fields) => write('info', message, fields),
    warn: (message, fields) => write('warn', message, fields),
    error: (message, fields) => write('error', message, fields),
    child: (fields) => wrap(target.child(plain(fields, false))),
  }
}

/** A logger that writes one JSON object a line, synchronously, so that the last line before a crash is there. */
export function createLogger(options: LoggerOptions): Logger {
  const descriptor = options.destination === 'stdout' ? 1 : 2
  const target = pino(
    {
      level: options.level,
      base: { name: options.name, pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    pino.destination({ dest: descriptor, sync: true }),
  )
  return wrap(target)
}
