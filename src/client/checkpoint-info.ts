import type { Checkpoint } from '../core/model.ts'
import { decodeManifest } from '../format/manifest.ts'
import type { Manifest } from '../format/manifest.ts'

/** How far an unfinished backup came. */
export interface CheckpointInfo {
  /** As its snapshot would have it; its statistics are those of that moment. */
  readonly manifest: Manifest
  readonly createdAtMs: number
  /** How many packs are kept for it. */
  readonly packs: number
}

/** @throws TwofoldError `integrity`, `unsupported` */
export function toCheckpointInfo({ manifest, createdAtMs, packs }: Checkpoint): CheckpointInfo {
  return { manifest: decodeManifest(manifest), createdAtMs, packs }
}
