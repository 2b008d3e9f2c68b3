import { catalogueSliceRows } from '../core/limits.ts'
import type { InventoryReport } from '../core/messages.ts'
import type { ManagerContext } from './context.ts'
import { hearInventory } from './lineage-watch.ts'
import { requireRegistered } from './registration.ts'

/** Takes in the list of a node's packs. */
export async function takeInventory(context: ManagerContext, report: InventoryReport): Promise<void> {
  const node = requireRegistered(context, report)
  let unknown = 0
  for (let start = 0; start < report.packs.length; start += catalogueSliceRows) {
    const slice = report.packs.slice(start, start + catalogueSliceRows)
    const rows = await context.catalogue.read((tx) => Promise.all(slice.map(({ packId }) => tx.packs.find(packId))))
    unknown += rows.filter((row) => row === undefined).length
    await context.clock.yield()
  }
  await hearInventory(context, node, unknown)
}
