import { systemClock } from '../../src/system/clock.ts'
import { VirtualClock } from './virtual-clock.ts'

/** How often pending work gets its turn before nothing but sleepers counts as left. */
const quietTurns = 8

/** Virtual time that passes by itself: when nothing but sleepers is left to run, it jumps to the first of them. */
export class AutoClock extends VirtualClock {
  #jumping = false
  #yields = 0

  override async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    const slept = super.sleep(ms, signal)
    void this.#jump()
    await slept
  }

  override async yield(): Promise<void> {
    this.#yields += 1
    await super.yield()
  }

  async #jump(): Promise<void> {
    if (this.#jumping) return
    this.#jumping = true
    while (this.sleeping > 0) {
      await this.#quiet()
      this.advance(this.untilNextMs ?? 0)
    }
    this.#jumping = false
  }

  /** Waits until nobody but sleepers has had anything to do for some turns: whoever yields is at work. */
  async #quiet(): Promise<void> {
    for (let turn = 0; turn < quietTurns; turn++) {
      const before = this.#yields
      await systemClock.yield()
      if (this.#yields !== before) turn = 0
    }
  }
}
