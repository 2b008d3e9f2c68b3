import { TwofoldError } from '../core/errors.ts'

/**
 * A set of pack row numbers as bytes: sorted, each as the difference to the one before, in base-128 digits with the
 * lowest first. The packs of one backup follow each other, so most take one byte.
 */
export function encodePackSet(packs: Iterable<number>): Uint8Array {
  const sorted = [...new Set(packs)].sort((a, b) => a - b)
  const out: number[] = []
  let previous = 0
  for (const pack of sorted) {
    let rest = pack - previous
    previous = pack
    while (rest >= 128) {
      out.push((rest % 128) + 128)
      rest = Math.floor(rest / 128)
    }
    out.push(rest)
  }
  return Uint8Array.from(out)
}

/** @throws TwofoldError `integrity` */
export function decodePackSet(bytes: Uint8Array): number[] {
  const packs: number[] = []
  let previous = 0
  let value = 0
  let scale = 1
  for (const byte of bytes) {
    value += (byte & 127) * scale
    scale *= 128
    if (byte < 128) {
      previous += value
      packs.push(previous)
      value = 0
      scale = 1
    }
  }
  if (scale !== 1 || !Number.isSafeInteger(previous)) {
    throw new TwofoldError('integrity', 'the catalogue has a broken set of packs')
  }
  return packs
}
