import { readProgramName } from './program-version.ts'

// Asking for the version alone is answered before anything else is loaded.
if (process.argv.slice(2).join() === '--version') process.stdout.write(`${await readProgramName()}\n`)
else await import('./run.ts')
