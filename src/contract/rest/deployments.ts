import { type Static, Type } from 'typebox'
import { Commit, Id, Name, Nullable, Page, PageQuery, strict, Time } from './fields.ts'
import { ErrorDocument } from './problem.ts'

export const DEPLOYMENT_STATES = [
  'queued',
  'running',
  'waiting',
  'succeeded',
  'failed',
  'cancelled',
  'superseded',
] as const
export const DeploymentState = Type.Enum([...DEPLOYMENT_STATES])

const Trigger = Type.Object(
  {
    kind: Type.String({
      description:
        '"api" (a person, or a token of one), "ci" (a CI job with its own ID token), "signed", "webhook", "poll", "schedule", "image", "files" (the repository wants the app no more), "drift", "registration" or "rollback".',
    }),
    by: Type.String(),
    detail: Type.Optional(Type.String()),
  },
  strict,
)

export const DeploymentDocument = Type.Object(
  {
    id: Id,
    app: Name,
    kind: Type.Enum(['deploy', 'rollback', 'stop', 'remove']),
    state: DeploymentState,
    outcome: Nullable(
      Type.String({
        description:
          '"deployed", "nothing-to-do", "unaffected", "own-commit", "skipped-by-message", "files-gone", "not-asked", "dry-run", "built", "rolled-back", "stopped" …; null until it ended.',
      }),
    ),
    trigger: Trigger,
    wanted_commit: Nullable(Commit),
    wanted_release: Nullable(Id),
    wanted_version: Nullable(Type.String({ description: 'Version that the artefact was asked to get.' })),
    followed_by: Nullable({
      ...Trigger,
      description: 'What asked to look at the branch while this one waited: done when this one has ended.',
    }),
    commit: Nullable(Commit),
    commit_subject: Nullable(Type.String()),
    failed_step: Nullable(Type.String()),
    error: Nullable(ErrorDocument),
    release: Nullable(Id),
    waiting_since: Nullable({
      ...Time,
      description: 'Set while a person has to approve its plan, which it gives as "plan" and "plan_hash".',
    }),
    approved: Nullable(
      Type.Object(
        { plan_hash: Type.String(), by: Type.String(), at: Time },
        {
          ...strict,
          description: 'Who approved which plan.',
        },
      ),
    ),
    cancel_requested: Type.Boolean(),
    created_at: Time,
    started_at: Nullable(Time),
    deadline_at: Nullable(Time),
    finished_at: Nullable(Time),
  },
  strict,
)
export type DeploymentDocument = Static<typeof DeploymentDocument>

export const StepDocument = Type.Object(
  {
    name: Type.String(),
    state: Type.Enum(['running', 'done', 'skipped', 'failed', 'cancelled']),
    started_at: Time,
    deadline_at: Time,
    finished_at: Nullable(Time),
    outcome: Type.Unknown(),
    error: Nullable(ErrorDocument),
  },
  strict,
)
export type StepDocument = Static<typeof StepDocument>

export const DeploymentDetail = Type.Object(
  {
    ...DeploymentDocument.properties,
    steps: Type.Array(StepDocument),
    plan: Type.Unknown({
      description: 'Commands and changes, secret values replaced; null before the step "plan".',
    }),
    plan_hash: Nullable(Type.String()),
    held: Type.Boolean({
      description: 'It is queued and its app is paused: it starts when a person resumes or deploys the app.',
    }),
    evidence: Type.Unknown({
      description: 'What was seen running at the end: containers, digests, health, HTTP answers.',
    }),
  },
  strict,
)
export type DeploymentDetail = Static<typeof DeploymentDetail>

export const ApproveBody = Type.Object(
  {
    hash: Type.String({
      pattern: '^[0-9a-f]{64}$',
      description: '"plan_hash" of the plan that was read: no other plan is approved by it.',
    }),
  },
  strict,
)

export const DeploymentPage = Page(DeploymentDocument)
export const DeploymentsQuery = Type.Object(
  { app: Type.Optional(Name), state: Type.Optional(DeploymentState), ...PageQuery },
  strict,
)

/** `data` of an event of a deployment's log; the event's id is `seq`. */
export const LogLineDocument = Type.Object(
  {
    seq: Type.Integer({ minimum: 1 }),
    at: Time,
    step: Type.String(),
    stream: Type.Union([Type.Literal('stdout'), Type.Literal('stderr'), Type.Literal('info')]),
    text: Type.String(),
  },
  strict,
)
export type LogLineDocument = Static<typeof LogLineDocument>
