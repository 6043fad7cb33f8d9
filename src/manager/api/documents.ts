import type { Selectable } from 'kysely'
import { LOCAL_ENGINE } from '#commands/engine.ts'
import type { AppDocument, ObservedDocument, ReleaseDocument } from '#contract/rest/apps.ts'
import type { DeploymentDetail, DeploymentDocument, StepDocument } from '#contract/rest/deployments.ts'
import type { DriftSummary } from '#contract/rest/drift.ts'
import type { PlanDocument } from '#contract/rest/plans.ts'
import type { ReportDocument, RepositoryDocument, WebhookDocument } from '#contract/rest/repositories.ts'
import { nextTime } from '#deploy-file/schedule.ts'
import { type FairleadError, toWire } from '#lib/errors.ts'
import { hostOfPlace } from '#lib/place.ts'
import { type VisitorPorts, visitOrigin } from '#lib/visit-origin.ts'
import type { AppRecord } from '#manager/apps/queries.ts'
import { PAUSED_REASON } from '#manager/deployments/breaker.ts'
import type { Deployment, ListedDeployment, StepRecord } from '#manager/deployments/deployment.ts'
import type { planApp } from '#manager/pipeline/plan-app.ts'
import { factsOf } from '#manager/releases/queries.ts'
import { tokenKind } from '#manager/reporting/queries.ts'
import type { RepositoryRecord } from '#manager/repositories/queries.ts'
import type { ReleaseTable } from '#manager/store/tables.ts'
import { takesActions } from '#manager/triggers/commit-actions.ts'
import { isPaused } from '#manager/triggers/look-at-repository.ts'
import { scheduleOf } from '#manager/triggers/schedule-times.ts'
import { targetNamed } from '#targets/index.ts'

/** RFC 3339 of a time in ms. */
export function timeText(ms: number): string {
  return new Date(ms).toISOString()
}

export function deploymentDocument(deployment: ListedDeployment): DeploymentDocument {
  return {
    id: deployment.id,
    app: deployment.app,
    kind: deployment.kind,
    state: deployment.state,
    outcome: deployment.outcome ?? null,
    trigger: { ...deployment.trigger },
    wanted_commit: deployment.wantedCommit ?? null,
    wanted_release: deployment.wantedRelease ?? null,
    wanted_version: deployment.wantedArtifact?.version ?? null,
    followed_by: deployment.thenTrigger ? { ...deployment.thenTrigger } : null,
    commit: deployment.commit ?? null,
    commit_subject: deployment.commitSubject ?? null,
    failed_step: deployment.failedStep ?? null,
    error: (deployment.error as DeploymentDocument['error']) ?? null,
    release: deployment.releaseId ?? null,
    waiting_since: optionalTime(deployment.waitingSince),
    approved: approvalDocument(deployment),
    cancel_requested: deployment.cancelRequested,
    created_at: timeText(deployment.createdAt),
    started_at: optionalTime(deployment.startedAt),
    deadline_at: optionalTime(deployment.deadlineAt),
    finished_at: optionalTime(deployment.finishedAt),
  }
}

function approvalDocument({ approved }: ListedDeployment): DeploymentDocument['approved'] {
  return approved ? { plan_hash: approved.hash, by: approved.by, at: timeText(approved.at) } : null
}

export function deploymentDetail(
  deployment: Deployment,
  { steps, held }: { readonly steps: readonly StepRecord[]; readonly held: boolean },
): DeploymentDetail {
  return {
    ...deploymentDocument(deployment),
    steps: steps.map(stepDocument),
    plan: deployment.plan ?? null,
    plan_hash: deployment.planHash ?? null,
    held,
    evidence: deployment.evidence ?? null,
  }
}

export function appDocument(
  app: AppRecord,
  seen: {
    readonly latest: ListedDeployment | undefined
    readonly observed: ObservedDocument
    readonly drift: DriftSummary
    readonly badgeUrl: string
    /** Of the proxy of its host; undefined: nobody can say now. */
    readonly visitors: VisitorPorts | undefined
    /** ms since 1970. */
    readonly now: number
  },
): AppDocument {
  return {
    id: app.id,
    name: app.name,
    repository: app.repository,
    entry: app.entry,
    target: app.target,
    host: app.host,
    engine: app.engine ?? LOCAL_ENGINE,
    overrides: JSON.parse(app.overrides),
    approval: app.approval === 1 ? 'required' : 'by-deploy-file',
    paused: app.paused_at === null ? null : { since: timeText(app.paused_at), reason: PAUSED_REASON },
    stopped: app.stopped_at === null ? null : { since: timeText(app.stopped_at), by: app.stopped_by ?? '' },
    schedule: scheduleDocument(app, seen.now),
    domains: [...app.domains],
    addresses: app.domains.map(place => addressOf(place, seen.visitors)),
    release: app.release ? releaseDocument(app.release) : null,
    deployment: seen.latest ? deploymentDocument(seen.latest) : null,
    observed: seen.observed,
    drift: seen.drift,
    owner: app.owner,
    project: app.project,
    badge: {
      shown: app.badge ?? 'private',
      url: seen.badgeUrl,
      markdown: `![build](${seen.badgeUrl})`,
    },
    version: app.version,
    created_at: timeText(app.created_at),
    updated_at: timeText(app.updated_at),
  }
}

/** Of a whole host, or of the part of one that the app has. */
function addressOf(place: string, visitors: VisitorPorts | undefined): string {
  const host = hostOfPlace(place)
  return `${visitOrigin(host, visitors)}${place.slice(host.length)}`
}

function scheduleDocument(app: AppRecord, now: number): AppDocument['schedule'] {
  const schedule = scheduleOf(app)
  return schedule ? { ...schedule, next: optionalTime(nextTime(schedule, now)) } : null
}

/** The plan as it may be shown: with secret values replaced. */
export function planDocument({ shown, hash, source }: Awaited<ReturnType<typeof planApp>>): PlanDocument {
  return {
    hash,
    commit: source.commit,
    commit_subject: source.subject,
    nothing_to_do: shown.nothingToDo,
    changes: shown.changes.map(change => ({ ...change })),
    plan: shown,
  }
}

export function releaseDocument(release: Selectable<ReleaseTable>): ReleaseDocument {
  return {
    id: release.id,
    deployment: release.deployment_id,
    commit: release.commit,
    commit_subject: release.commit_subject,
    config_hash: release.config_hash,
    images: (targetNamed(release.target ?? '')?.images(factsOf(release)) ?? []).map(image => ({
      name: image.name,
      reference: image.reference,
      pinned: image.pinned ?? null,
      image_id: image.imageId ?? null,
    })),
    restored_from: release.origin === release.id ? null : release.origin,
    secret_revisions: JSON.parse(release.secrets ?? '{}'),
    created_at: timeText(release.created_at),
    confirmed: confirmationOf(release),
  }
}

function confirmationOf({ confirmed_commit, confirmed_by, confirmed_at }: Selectable<ReleaseTable>) {
  return confirmed_commit === null || confirmed_by === null || confirmed_at === null
    ? null
    : { commit: confirmed_commit, deployment: confirmed_by, at: timeText(confirmed_at) }
}

/** Never the credential: only its kind. */
export function repositoryDocument(
  repository: RepositoryRecord,
  webhook: WebhookDocument | null,
): RepositoryDocument {
  return {
    id: repository.id,
    name: repository.name,
    url: repository.url,
    branch: repository.branch,
    host: repository.host,
    credential: repository.credential_sealed
      ? { kind: repository.url.startsWith('https:') ? 'https' : 'ssh' }
      : null,
    ca: repository.ca,
    poll_seconds: repository.poll_seconds,
    auto_apps: repository.auto_apps === 1,
    commit_actions: takesActions(repository),
    private: repository.is_private === null ? null : repository.is_private === 1,
    compose_path: repository.compose_path,
    last_tip: repository.last_tip,
    last_polled_at: optionalTime(repository.last_polled_at),
    organisation: repository.organisation ?? null,
    problem: JSON.parse(repository.stopped ?? repository.problem ?? 'null'),
    paused: repository.stopped !== null || isPaused(repository),
    webhook,
    report: reportDocument(repository),
    version: repository.version,
    created_at: timeText(repository.created_at),
    updated_at: timeText(repository.updated_at),
  }
}

export function webhookDocument(
  hook: NonNullable<RepositoryRecord['hook']>,
  { url, problem }: { readonly url: string; readonly problem: FairleadError | undefined },
): WebhookDocument {
  return {
    url,
    git_host: hook.git_host,
    previous_until: optionalTime(hook.previous_until),
    last_delivery_at: optionalTime(hook.last_delivery_at),
    last_verified_with: hook.verified_with,
    last_refused_at: optionalTime(hook.last_refused_at),
    last_refused_reason: hook.last_refused_reason,
    problem: problem ? (toWire(problem) as WebhookDocument['problem']) : null,
  }
}

function stepDocument(step: StepRecord): StepDocument {
  return {
    name: step.name,
    state: step.state,
    started_at: timeText(step.startedAt),
    deadline_at: timeText(step.deadlineAt),
    finished_at: optionalTime(step.finishedAt),
    outcome: step.outcome ?? null,
    error: (step.error as StepDocument['error']) ?? null,
  }
}

function reportDocument({ report, url, credential_sealed }: RepositoryRecord): ReportDocument | null {
  return report === undefined
    ? null
    : {
        on: report.is_on === 1,
        git_host: report.git_host,
        api: report.api,
        username: report.username,
        token: tokenKind({ ...report, url, credential_sealed }) ?? 'none',
        deployments: report.deployments === 1,
        details: report.details === 1,
        problem: report.problem === null ? null : JSON.parse(report.problem),
      }
}

export function optionalTime(ms: number | null | undefined): string | null {
  return ms === null || ms === undefined ? null : timeText(ms)
}
