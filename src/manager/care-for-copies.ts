import type { ManagerContext } from './context.ts'
import { discardDamaged } from './damaged-discards.ts'
import { drainStep } from './drains.ts'
import { rebalanceStep } from './rebalance.ts'
import { repairStep } from './repair.ts'

/**
 * One bounded piece of seeing to it that every pack has its copies where they belong. An older copy of a catalogue does
 * nothing of it. @returns whether there is more to do now
 */
export async function careForCopies(context: ManagerContext): Promise<boolean> {
  if (context.lineage.state === 'rolled-back') return false
  const moreRepair = await repairStep(context)
  await discardDamaged(context)
  await rebalanceStep(context)
  const moreDrains = await drainStep(context)
  return moreRepair || moreDrains
}
