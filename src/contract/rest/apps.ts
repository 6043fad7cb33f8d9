import { type Static, Type } from 'typebox'
import { EngineWish } from '#contract/engine.ts'
import { Badge, Belongs } from './app-owner.ts'
import { AppSearch } from './app-search.ts'
import { DeploymentDocument } from './deployments.ts'
import { DriftSummary } from './drift.ts'
import { Commit, HostName, Id, Name, Nullable, Page, PageQuery, strict, Time, Version } from './fields.ts'

/** An app's name in the deploy file: what the conventions accept. */
const Entry = Type.String({ pattern: '^[a-zA-Z0-9_-]{1,64}$' })
const Overrides = Type.Record(Type.String({ maxLength: 64 }), Type.Unknown(), {
  description: "Settings that win over the deploy file's.",
  maxProperties: 100,
})

const Approval = Type.Enum(['required', 'by-deploy-file'], {
  description:
    '"required": deployments wait until a person has approved their plan, whatever the deploy file says. "by-deploy-file": they wait where it has "approval: required".',
})

export const ReleaseDocument = Type.Object(
  {
    id: Id,
    deployment: Id,
    commit: Type.String(),
    commit_subject: Nullable(Type.String()),
    config_hash: Type.String(),
    images: Type.Array(
      Type.Object(
        {
          name: Type.String({ description: 'The service that runs it, or "container".' }),
          reference: Type.String(),
          pinned: Nullable(Type.String({ description: 'By digest; null when no registry has it.' })),
          image_id: Nullable(Type.String()),
        },
        strict,
      ),
    ),
    restored_from: Nullable({ ...Id, description: 'The release that a rollback or repair brought back.' }),
    secret_revisions: Type.Record(Type.String(), Type.Union([Type.Integer(), Id]), {
      description:
        "By name: the revision of the app's own, or the id of the value that it shares with others.",
    }),
    created_at: Time,
    confirmed: Nullable(
      Type.Object(
        { commit: Type.String(), deployment: Id, at: Time },
        { ...strict, description: 'The newest commit that was seen to want exactly this release.' },
      ),
    ),
  },
  strict,
)
export type ReleaseDocument = Static<typeof ReleaseDocument>

/** What was really seen, and when: `unknown` with a reason whenever nobody can see it now. */
export const ObservedDocument = Type.Object(
  {
    state: Type.Enum([
      'running',
      'asleep',
      'degraded',
      'stopped',
      'missing',
      'not-deployed',
      'nothing-to-run',
      'unknown',
    ]),
    reason: Nullable(Type.String()),
    at: Nullable(Time),
    age_seconds: Nullable(Type.Integer()),
    containers: Type.Integer({ description: 'How many there were; the evidence is at /containers.' }),
  },
  strict,
)
export type ObservedDocument = Static<typeof ObservedDocument>

export const AppDocument = Type.Object(
  {
    id: Id,
    name: Name,
    repository: Nullable(Name),
    entry: Entry,
    target: Type.String({ description: 'How it runs; "auto" until the repository was read.' }),
    host: HostName,
    engine: Type.String({
      description:
        'Of its host, where it is now: "local" is the host\'s own. The wish is the override "engine".',
    }),
    overrides: Overrides,
    approval: Approval,
    paused: Nullable(
      Type.Object(
        { since: Time, reason: Type.String() },
        {
          ...strict,
          description:
            'Its deployments stay queued until a person resumes or deploys it: it was deployed again and again without one.',
        },
      ),
    ),
    stopped: Nullable(
      Type.Object(
        { since: Time, by: Type.String() },
        {
          ...strict,
          description:
            'A person stopped it: nothing of it runs, and its deployments stay queued until a person starts or deploys it.',
        },
      ),
    ),
    schedule: Nullable(
      Type.Object(
        { cron: Type.String(), time_zone: Type.String(), next: Nullable(Time) },
        { ...strict, description: 'When it is deployed by itself, as the deploy file says.' },
      ),
    ),
    domains: Type.Array(Type.String()),
    addresses: Type.Array(Type.String(), { description: 'Of the domains, with the port of their proxy.' }),
    release: Nullable(ReleaseDocument),
    deployment: Nullable(DeploymentDocument),
    observed: ObservedDocument,
    drift: DriftSummary,
    ...Belongs,
    badge: Type.Object({ shown: Badge, url: Type.String(), markdown: Type.String() }, strict),
    version: Version,
    created_at: Time,
    updated_at: Time,
  },
  strict,
)
export type AppDocument = Static<typeof AppDocument>
export const AppPage = Page(AppDocument)
export const AppsQuery = Type.Object({ repository: Type.Optional(Name), ...AppSearch, ...PageQuery }, strict)

export const NewApp = Type.Object(
  {
    name: Name,
    repository: Name,
    /** Default: the app's own name. */
    entry: Type.Optional(Entry),
    /** Default: the host that reads the repository. */
    host: Type.Optional(HostName),
    engine: Type.Optional(EngineWish),
    overrides: Type.Optional(Overrides),
    approval: Type.Optional(Approval),
  },
  strict,
)
export type NewApp = Static<typeof NewApp>

export const AppChange = Type.Object(
  {
    entry: Type.Optional(Entry),
    overrides: Type.Optional(Overrides),
    badge: Type.Optional(Badge),
    approval: Type.Optional(Approval),
    engine: Type.Optional(
      Type.Union([EngineWish, Type.Null()], {
        description: 'Kept as the override "engine"; null: as the deploy file says.',
      }),
    ),
    drift: Type.Optional(
      Type.Enum(['report', 'repair', 'by-deploy-file'], {
        description: 'Holds at once, as the override "drift".',
      }),
    ),
  },
  { ...strict, minProperties: 1 },
)
export type AppChange = Static<typeof AppChange>

/** Any text: whether it can be a tag is said by the deployment, with what to do about it. */
export const ArtifactVersion = Type.Optional(
  Type.String({
    ...{ minLength: 1, maxLength: 200 },
    description:
      'For an app that makes an artefact: the version that it gets, whatever its deploy file says.',
  }),
)

export const Wait = Type.Optional(
  Type.Integer({
    minimum: 0,
    maximum: 600,
    description: 'Seconds to wait for the end, or until it waits for an approval, before answering.',
  }),
)
export const DeployBody = Type.Object(
  {
    commit: Type.Optional(Commit),
    release: Type.Optional({
      ...Id,
      description: 'Bring this release back instead, as a rollback does; not together with "commit".',
    }),
    version: ArtifactVersion,
    wait_seconds: Wait,
  },
  strict,
)
export const RollbackBody = Type.Object(
  {
    release: Type.Optional({ ...Id, description: 'Default: the release before the one that runs.' }),
    wait_seconds: Wait,
  },
  strict,
)
export const StopBody = Type.Object({ wait_seconds: Wait }, strict)
export const RemoveAppQuery = Type.Object(
  {
    volumes: Type.Optional(Type.Union([Type.Literal('keep'), Type.Literal('delete')])),
    /** Only forget it: for a host that will not come back. */
    forget: Type.Optional(Type.Boolean()),
  },
  strict,
)

export const ReleasePage = Page(ReleaseDocument)
export const ReleasesQuery = Type.Object(PageQuery, strict)

/** The last observation of what runs; `deployment` when it was made at the end of that one. */
export const ContainersDocument = Type.Object(
  {
    status: ObservedDocument,
    observed: Type.Unknown({
      description:
        'The containers as they were seen last (ids, digests, health, ports) and since when; null: never.',
    }),
    deployment: Nullable(Id),
  },
  strict,
)
