import { gearTable } from './gear.ts'
import { createReferenceScan, gearWindowBytes } from './gear-scan.ts'
import type { GearScan } from './gear-scan.ts'
import { gearWasm } from './gear-wasm.ts'

/** Where the bytes to scan begin in the module's memory: after the table. */
const dataOffset = 1024
const scanOffset = dataOffset + gearWindowBytes
/** Bytes per call: what was copied is still in the processor's second cache when it is scanned. */
const blockBytes = 128 * 1024

interface GearInstance {
  readonly block: Uint8Array
  readonly scan: (at: number, end: number, mask: number) => number
}

/** What is used of the global that Node's types do not describe. */
interface WebAssemblyGlobal {
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object) => {
    readonly exports: { readonly memory: { readonly buffer: ArrayBuffer }; readonly scan: GearInstance['scan'] }
  }
}

function instantiate(): GearInstance {
  const { WebAssembly } = globalThis as unknown as { WebAssembly: WebAssemblyGlobal }
  const module = new WebAssembly.Module(Buffer.from(gearWasm, 'base64'))
  const { memory, scan } = new WebAssembly.Instance(module).exports
  new Int32Array(memory.buffer, 0, gearTable.length).set(gearTable)
  return { block: new Uint8Array(memory.buffer, dataOffset, gearWindowBytes + blockBytes), scan }
}

/** One instance for everybody: a scan is over before it returns and leaves nothing behind. */
let shared: GearInstance | undefined

/** The scan in WebAssembly. @throws where WebAssembly is not allowed. */
export function createWasmScan(mask: number): GearScan {
  shared ??= instantiate()
  const { block, scan } = shared
  return (data, from, to) => {
    for (let at = from; at < to; at += blockBytes) {
      const length = Math.min(blockBytes, to - at)
      block.set(data.subarray(at - gearWindowBytes, at + length))
      const found = scan(scanOffset, scanOffset + length, mask)
      if (found !== 0) return at + found - scanOffset
    }
    return 0
  }
}

/** The fastest scan that there is here. */
export function createGearScan(mask: number): GearScan {
  try {
    return createWasmScan(mask)
  } catch {
    // WebAssembly can be switched off (`--jitless`); the cuts are the same without it.
    return createReferenceScan(mask)
  }
}
