import type { VisitorPorts } from '#lib/visit-origin.ts'
import type { Deployment } from '#manager/deployments/deployment.ts'

/** What the outbox keeps of a deployment's state, to be put into words when it is sent. */
export interface ReportNote {
  readonly app: string
  readonly deployment: string
  readonly commit: string
  readonly state: Deployment['state']
  readonly outcome?: string | undefined
  readonly failedStep?: string | undefined
  readonly error?: { readonly code: string; readonly message: string } | undefined
  /** How long it took. */
  readonly seconds?: number | undefined
  readonly domains: readonly string[]
  /** Where the proxy of its host listens for their visitors. */
  readonly visitors?: VisitorPorts | undefined
}

const MOST_MESSAGE = 500

export function reportNote(
  deployment: Deployment,
  commit: string,
  places: Pick<ReportNote, 'domains' | 'visitors'>,
): ReportNote {
  const { startedAt, finishedAt, waitedMs, error } = deployment
  return {
    app: deployment.app,
    deployment: deployment.id,
    commit,
    state: deployment.state,
    outcome: deployment.outcome,
    failedStep: deployment.failedStep,
    error: error && { code: error.code, message: error.message.slice(0, MOST_MESSAGE) },
    seconds:
      startedAt === undefined || finishedAt === undefined
        ? undefined
        : Math.max(1, Math.round((finishedAt - startedAt - waitedMs) / 1000)),
    ...places,
  }
}
