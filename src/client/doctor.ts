import { describeError, toTwofoldError, TwofoldError } from '../core/errors.ts'
import type { CallOptions, ClusterStatus } from '../core/model.ts'
import type { BackupDeps } from './backup-request.ts'
import { clockFinding, finding, statusFindings } from './doctor-findings.ts'
import type { Finding } from './doctor-findings.ts'
import { checkRoundTrips } from './doctor-round-trip.ts'
import { RunScope } from './run-scope.ts'

export interface DoctorRequest {
  readonly vault?: string | undefined
  /** False: nothing is written to the nodes and read back. */
  readonly roundTrip?: boolean | undefined
}

export interface DoctorOptions extends CallOptions {
  /** Called with each finding as soon as it is there. */
  readonly onFinding?: ((finding: Finding) => void) | undefined
  /** Called with what is looked at next, in words. */
  readonly onStage?: ((what: string) => void) | undefined
}

/**
 * Looks whether everything that a backup needs works from here, the connection first. Nothing stays on the nodes; the
 * history gets an abandoned backup of the packs that were written to try.
 * @throws TwofoldError `cancelled`; whatever else goes wrong is a finding
 */
export async function runDoctor(
  deps: BackupDeps,
  request: DoctorRequest,
  options: DoctorOptions,
): Promise<readonly Finding[]> {
  const scope = new RunScope(options.signal)
  const findings: Finding[] = []
  const tell = (found: Finding): void => {
    findings.push(found)
    options.onFinding?.(found)
  }
  try {
    options.onStage?.('the connection to the manager')
    const status = await checkManager(deps, scope.signal, tell)
    if (status === undefined) return findings
    const here = { nowMs: deps.clock.nowMs(), program: deps.program }
    for (const found of statusFindings(status, here)) tell(found)
    tell(noCertificates)
    if (request.roundTrip === false) return findings
    options.onStage?.('a write and a read on every node')
    await checkRoundTrips(deps, { status, vault: request.vault ?? '', scope, tell })
    return findings
  } catch (error) {
    throw scope.failure(error)
  } finally {
    scope.close()
  }
}

const noCertificates = finding('certificates', 'note', {
  text: 'none are used: what goes over the network is not encrypted, and nobody is asked who he is',
  advice: 'keep managers and nodes in a network that you trust, or in a tunnel such as WireGuard',
})

async function checkManager(
  { manager, clock }: BackupDeps,
  signal: AbortSignal,
  tell: (found: Finding) => void,
): Promise<ClusterStatus | undefined> {
  try {
    // The first call may have to connect: the second one is what a call takes.
    await manager.getStatus({ signal })
    const startMs = clock.monotonicMs()
    const status = await manager.getStatus({ signal })
    const roundTripMs = clock.monotonicMs() - startMs
    const text = `the manager answers in ${Math.max(1, Math.round(roundTripMs))} ms`
    tell(finding('connection', 'ok', { text }))
    tell(clockFinding(clock.nowMs() - roundTripMs / 2 - status.managerTimeMs, roundTripMs))
    return status
  } catch (error) {
    signal.throwIfAborted()
    const text = error instanceof TwofoldError ? toTwofoldError(error).message : describeError(error)
    const advice = 'is "twofold manager" running there, on that port, and does a firewall let it through?'
    tell(finding('connection', 'failure', { text, advice }))
    return undefined
  }
}
