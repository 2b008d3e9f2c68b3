import type { Durability } from './model.ts'

/** One word for how safe a snapshot is now. */
export type Safety = 'full' | 'degraded' | 'repairing' | 'waiting' | 'lost'

export function safetyOf({ packsUnavailable, packsDegraded, repair }: Durability): Safety {
  if (packsUnavailable > 0) return 'lost'
  if (packsDegraded === 0) return 'full'
  if (repair === 'none') return 'degraded'
  return repair === 'running' ? 'repairing' : 'waiting'
}

/** `2/2` */
export function copiesText({ copies, copiesWanted }: Durability): string {
  return `${copies}/${copiesWanted}`
}

/** `2/2`, `1/2 repairing`, `0/2 lost` */
export function copiesNow(durability: Durability): string {
  const safety = safetyOf(durability)
  return safety === 'full' ? copiesText(durability) : `${copiesText(durability)} ${safety}`
}
