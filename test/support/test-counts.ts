export interface TestCounts {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
  /** One line each: what failed, and why. */
  readonly failures: readonly string[]
}

const counted = /^(\d+) passed, (\d+) failed$/
const skipped = /^(\d+) skipped: /
const failure = /^failed: (.+)$/

/** Whether it is a line of `describeCounts`. */
export function isCount(line: string): boolean {
  return counted.test(line) || skipped.test(line) || failure.test(line)
}

/** The last lines of a run. What failed or was skipped has lines only where there is something. */
export function describeCounts({ passed, failed, skipped, failures }: TestCounts): string[] {
  return [
    ...failures.map((each) => `failed: ${each}`),
    ...(skipped > 0 ? [`${skipped} skipped: their names say why`] : []),
    `${passed} passed, ${failed} failed`,
  ]
}

/** What a run said. One that failed in another way than by a test has failed once. */
export function countedIn({ lines, code }: { readonly lines: readonly string[]; readonly code: number }): TestCounts {
  const numbers = (pattern: RegExp): number[] => {
    const line = lines.findLast((each) => pattern.test(each)) ?? ''
    return (pattern.exec(line) ?? []).slice(1).map(Number)
  }
  const [passed = 0, failed = 0] = numbers(counted)
  const [ofSkipped = 0] = numbers(skipped)
  const failures = lines.flatMap((line) => failure.exec(line)?.[1] ?? [])
  if (code === 0 || failed > 0) return { passed, failed, skipped: ofSkipped, failures }
  return { passed, failed: 1, skipped: ofSkipped, failures: [...failures, `the run itself ended with status ${code}`] }
}

export function addCounts(one: TestCounts, other: TestCounts): TestCounts {
  return {
    passed: one.passed + other.passed,
    failed: one.failed + other.failed,
    skipped: one.skipped + other.skipped,
    failures: [...one.failures, ...other.failures],
  }
}
