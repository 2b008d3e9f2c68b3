/**
 * Loaded with `--import` into a server that is measured. At SIGUSR2 it writes by how much the event loop was late since
 * the last time, in milliseconds, to `BENCH_LOOP_DELAYS/PID.json`. It is JavaScript so that a server need not load what
 * strips types, which would count as its memory.
 */
import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'

const resolution = 10
const delays = monitorEventLoopDelay({ resolution })
delays.enable()

/** Resolves when there was at least one tick. */
const ticks = () => sleep(2 * resolution)

/** What it records is the time from one tick of a timer to the next. */
const late = (nanoseconds) => Math.max(0, nanoseconds / 1e6 - resolution)

async function report() {
  // A delay that just ended is recorded with the next tick.
  await ticks()
  const file = join(process.env['BENCH_LOOP_DELAYS'] ?? '.', `${process.pid}.json`)
  const said = delays.count === 0 ? { p99: 0, most: 0 } : { p99: late(delays.percentile(99)), most: late(delays.max) }
  writeFileSync(`${file}.new`, JSON.stringify(said))
  delays.reset()
  // The first tick after that only says from when on.
  await ticks()
  renameSync(`${file}.new`, file)
}

process.on('SIGUSR2', report)
