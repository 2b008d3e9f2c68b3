import { readFile } from 'node:fs/promises'
import binaryen from 'assemblyscript/binaryen'

/** `src/format/gear.wat` as a WebAssembly module, in base64. */
export async function compileGear(): Promise<string> {
  const source = await readFile(new URL('../../../src/format/gear.wat', import.meta.url), 'utf8')
  const module = binaryen.parseText(source)
  try {
    if (module.validate() === 0) throw new Error('gear.wat is not valid')
    binaryen.setOptimizeLevel(3)
    binaryen.setShrinkLevel(0)
    module.optimize()
    return Buffer.from(module.emitBinary()).toString('base64')
  } finally {
    module.dispose()
  }
}
