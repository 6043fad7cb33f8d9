import type { DriftDocument, DriftSummary } from '#contract/rest/drift.ts'
import { type DriftState, readDrift } from '#manager/observation/drift-state.ts'
import { driftPolicy, readBaseline } from '#manager/observation/watch-drift.ts'
import { statusOfApp } from './observation.ts'
import type { AppRecord } from './queries.ts'

type Parts = Parameters<typeof statusOfApp>[0]

/** How an app differs from its release, in one line. */
export function driftSummary(parts: Parts, app: AppRecord): DriftSummary {
  const drift = readDrift(app)
  const { findings } = drift
  return { ...headOf(parts, app, drift), findings: findings.length, reason: findings[0]?.reason ?? null }
}

export function driftDocument(parts: Parts, app: AppRecord): DriftDocument {
  const drift = readDrift(app)
  const { findings, repairs, givenUpAt } = drift
  const now = parts.clock.now()
  return {
    ...headOf(parts, app, drift),
    findings: findings.map(({ kind, what, reason, container, since }) => ({
      ...{ kind, what, reason, container },
      since: new Date(since).toISOString(),
      age_seconds: Math.max(0, Math.round((now - since) / 1000)),
    })),
    deployment: readBaseline(app)?.deployment ?? null,
    repairs: repairs.length,
    given_up_at: optionalTime(givenUpAt),
    observed_at: optionalTime(app.observed_at),
  }
}

function headOf(parts: Parts, app: AppRecord, drift: DriftState) {
  const oldest = Math.min(...drift.findings.map(each => each.since))
  return {
    state: stateOf(parts, app, drift),
    policy: driftPolicy(app),
    since: drift.findings.length === 0 ? null : new Date(oldest).toISOString(),
  }
}

function stateOf(parts: Parts, app: AppRecord, { findings, givenUpAt }: DriftState): DriftDocument['state'] {
  if (app.baseline !== null && statusOfApp(parts, app).state === 'unknown') {
    return 'unknown'
  }
  return findings.length === 0 ? 'none' : givenUpAt === null ? 'drifted' : 'given-up'
}

function optionalTime(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString()
}
