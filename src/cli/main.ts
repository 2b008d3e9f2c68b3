import { readVersion } from './program-version.ts'

// Asking for the version alone is answered before anything else is loaded.
if (process.argv.slice(2).join() === '--version') process.stdout.write(`twofold ${await readVersion()}\n`)
else await import('./run.ts')
