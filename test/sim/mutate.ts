/** To be loaded first (`node --import`): takes the rule away that the variable `MUTANT` names. */
import { registerHooks } from 'node:module'
import { applyPatch, mutants } from './mutants.ts'

const name = process.env['MUTANT']
const mutant = mutants.find((other) => other.name === name)
if (mutant === undefined)
  throw new Error(`there is no mutant ${name}; there are ${mutants.map((m) => m.name).join(', ')}`)
const { patches } = mutant

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context)
    const mine = patches.filter(({ file }) => url.endsWith(`/src/${file}`))
    if (mine.length === 0) return loaded
    let source = Buffer.from(loaded.source as string | Uint8Array).toString()
    for (const patch of mine) source = applyPatch(source, patch)
    return { ...loaded, source }
  },
})
