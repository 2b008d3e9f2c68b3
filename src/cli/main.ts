import { readProgramName } from './program-version.ts'

// Asking for the version alone is answered before anything else is loaded, be it the streams of `process.stdout`.
if (process.argv.slice(2).join() === '--version') {
  process.getBuiltinModule('node:fs').writeSync(1, `${readProgramName()}\n`)
} else await import('./run.ts')
