import type { ReadSubset } from '../client/index.ts'
import { TwofoldError } from '../core/errors.ts'

const sizeUnits: Readonly<Record<string, number>> = {
  '': 1,
  B: 1,
  K: 1024,
  M: 1024 ** 2,
  G: 1024 ** 3,
  T: 1024 ** 4,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KIB: 1024,
  MIB: 1024 ** 2,
  GIB: 1024 ** 3,
  TIB: 1024 ** 4,
}

const durationUnits: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Bytes of `10GB` (10^9), `10GiB` or `10G` (2^30). @throws TwofoldError `invalid-argument` */
export function parseSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([A-Za-z]*)$/.exec(text.trim())
  const unit = sizeUnits[(match?.[2] ?? '?').toUpperCase()]
  const bytes = Math.round(Number(match?.[1]) * (unit ?? Number.NaN))
  if (!Number.isSafeInteger(bytes)) {
    throw new TwofoldError('invalid-argument', `"${text}" is no size: write for example 500MB, 10GB or 2TiB`)
  }
  return bytes
}

/** Milliseconds of `500ms`, `5s`, `10m`, `1h`. @throws TwofoldError `invalid-argument` */
export function parseDuration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)$/.exec(text.trim())
  const ms = Math.round(Number(match?.[1]) * (durationUnits[match?.[2] ?? ''] ?? Number.NaN))
  if (!Number.isSafeInteger(ms)) {
    throw new TwofoldError('invalid-argument', `"${text}" is no duration: write for example 500ms, 5s or 10m`)
  }
  return ms
}

/** The same; `off` and `0` are 0. @throws TwofoldError `invalid-argument` */
export function parsePeriod(text: string): number {
  return ['off', '0'].includes(text.trim().toLowerCase()) ? 0 : parseDuration(text)
}

/** `3/30`, the third of thirty parts, or `2.5%`. @throws TwofoldError `invalid-argument` */
export function parseSubset(text: string): ReadSubset {
  const part = /^(\d{1,9})\/(\d{1,9})$/.exec(text.trim())
  const [number, parts] = [Number(part?.[1]), Number(part?.[2])]
  if (number >= 1 && number <= parts) return { kind: 'part', number, parts }
  const percent = Number(/^(\d+(?:\.\d+)?)%$/.exec(text.trim())?.[1])
  if (percent > 0 && percent <= 100) return { kind: 'percent', percent }
  throw new TwofoldError('invalid-argument', `"${text}" is no part: write for example 3/30, the 3rd of 30, or 5%`)
}

/** A whole number from `least` on. @throws TwofoldError `invalid-argument` */
export function parseCount(text: string, least = 0): number {
  const count = /^\d+$/.test(text.trim()) ? Number(text) : Number.NaN
  if (!Number.isSafeInteger(count) || count < least) {
    throw new TwofoldError('invalid-argument', `"${text}" is no whole number from ${least} on`)
  }
  return count
}
