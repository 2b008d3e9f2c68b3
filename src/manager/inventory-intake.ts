import type { InventoryReport } from '../core/messages.ts'
import type { ManagerContext } from './context.ts'
import { requireRegistered } from './registration.ts'

/** Takes in the list of a node's packs. */
export async function takeInventory(context: ManagerContext, report: InventoryReport): Promise<void> {
  requireRegistered(context, report)
  await context.clock.yield()
}
