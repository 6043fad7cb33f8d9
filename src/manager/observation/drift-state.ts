import { lately } from '#manager/deployments/loop-window.ts'
import type { DriftedParts } from '#targets/drifted-parts.ts'
import type { Finding } from './drift.ts'

/** What an app's row keeps of its drift; null in the row when there is none and nothing was repaired lately. */
export interface DriftState {
  readonly findings: readonly AgedFinding[]
  /** When repairs were requested lately, in ms since 1970, oldest first. */
  readonly repairs: readonly number[]
  /** Repairing did not help, and was given up at this time. */
  readonly givenUpAt: number | null
}

export interface AgedFinding extends Finding {
  /** When it was seen first, in ms since 1970. */
  readonly since: number
}

/** Within the window of a loop. */
export const MOST_REPAIRS = 3

const NO_DRIFT: DriftState = { findings: [], repairs: [], givenUpAt: null }

/** Of an app's row. */
export function readDrift({ drift }: { readonly drift: string | null }): DriftState {
  return drift === null ? NO_DRIFT : (JSON.parse(drift) as DriftState)
}

/** What a plan has to make anew; undefined when there is nothing. */
export function driftedParts(app: { readonly drift: string | null }): DriftedParts | undefined {
  const { findings } = readDrift(app)
  if (findings.length === 0) {
    return undefined
  }
  return {
    containers: unique(
      findings.flatMap(({ kind, container }) => (kind === 'extra' ? [] : (container ?? []))),
    ),
    routes: unique(findings.flatMap(({ kind, what }) => (kind === 'route' ? [what] : []))),
    // `file:<name>:<path in the container>`
    files: unique(
      findings.flatMap(({ kind, part = '' }) => (kind === 'file' ? (part.split(':')[1] ?? []) : [])),
    ),
  }
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)].sort()
}

/** The state after a look: findings keep their age, and when all are gone a person need not come. Pure. */
export function driftAfter(before: DriftState, found: readonly Finding[], now: number): DriftState {
  const findings = found.map(each => ({
    ...each,
    since: before.findings.find(old => isSame(old, each))?.since ?? now,
  }))
  return {
    findings,
    repairs: lately(before.repairs, now),
    givenUpAt: findings.length === 0 ? null : before.givenUpAt,
  }
}

/** What to do about it where the app wants it repaired. Pure. */
export function repairStep({ findings, repairs, givenUpAt }: DriftState): 'none' | 'repair' | 'give-up' {
  if (findings.length === 0 || givenUpAt !== null) {
    return 'none'
  }
  return repairs.length < MOST_REPAIRS ? 'repair' : 'give-up'
}

export function isQuiet({ findings, repairs }: DriftState): boolean {
  return findings.length === 0 && repairs.length === 0
}

/** Also when it was made anew in between: what is wrong is the same. */
function isSame(a: Finding, b: Finding): boolean {
  return a.kind === b.kind && a.what === b.what && a.part === b.part
}
