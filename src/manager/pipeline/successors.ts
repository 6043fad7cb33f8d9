import type { Kysely, Selectable } from 'kysely'
import { composeClaims } from '#deploy-file/compose-claims.ts'
import type { FairleadError } from '#lib/errors.ts'
import { takenDown } from '#manager/apps/message-removals.ts'
import { compiledOnce } from '#manager/store/compiled-once.ts'
import type { RepositoryTable, Tables } from '#manager/store/tables.ts'
import type { Claims } from '#targets/claims.ts'
import { targetNamed } from '#targets/index.ts'
import type { DescribedApps } from './described-apps.ts'
import { APP_HALF_REPLACED, APP_REMOVAL_WAITS } from './errors.ts'
import { releasedClaims, roomMadeFor } from './make-room.ts'
import type { StepContext } from './step.ts'

export interface Awaited {
  readonly names: readonly string[]
  /** Those of them with a deployment under way. */
  readonly open: readonly string[]
}

export const NOBODY: Awaited = { names: [], open: [] }

/**
 * New apps of the same files that may be this one under another name and are yet to be deployed: until then it
 * is not removed. Throws when one of them could not be deployed, or not even made. What nobody can tell of them may be.
 */
export async function awaitedSuccessors(
  { parts: { db }, app, repository }: StepContext,
  described: DescribedApps,
  taken: readonly string[],
): Promise<Awaited> {
  const released = await releasedClaims(db, app)
  if (!released || !repository || app.repository_id === null) {
    return NOBODY
  }
  const stacks = described.apps.filter(each => mayPublish(each.target) && each.name !== app.entry)
  const claims = claimsOf(described)
  const missing = [
    ...stacks.map(({ name }) => name).filter(name => taken.includes(name)),
    ...(await newBroken(db, app.repository_id, described)),
  ].find(name => maySucceed(released, claims.get(name)))
  if (missing !== undefined) {
    throw await waitsFor(db, app, missing)
  }
  const wanted = new Set(stacks.map(({ name }) => name))
  const fresh = await freshApps(db, { repository: app.repository_id, host: app.host })
  const names = repository.host === app.host ? await notMadeYet(db, repository, described) : []
  const awaited = names.filter(
    name => wanted.has(name) && !taken.includes(name) && maySucceed(released, claims.get(name)),
  )
  const open: string[] = []
  for (const { id, name, entry, target, state, plan } of fresh.filter(each => wanted.has(each.entry))) {
    const next = (plan === null ? undefined : plannedClaims(target, plan)) ?? claims.get(entry)
    const isAnother = next ? !maySucceed(released, next) : await wereBothWanted(db, app.id, id)
    if (isAnother) {
      continue
    }
    if (state === 'failed' || state === 'cancelled') {
      throw await waitsFor(db, app, name)
    }
    awaited.push(name)
    if (state !== 'succeeded') {
      open.push(name)
    }
  }
  return { names: awaited, open }
}

/** One that made room for another successor does not run any more, whatever else is to come. */
async function waitsFor(
  db: Kysely<Tables>,
  { id, name }: { readonly id: string; readonly name: string },
  missing: string,
): Promise<FairleadError> {
  const next = await roomMadeFor(db, id)
  return next === undefined ? APP_REMOVAL_WAITS(name, missing) : APP_HALF_REPLACED(name, next, missing)
}

function mayPublish(target: string): boolean {
  return targetNamed(target)?.claims !== undefined
}

/** Who takes the place of another one has one of its ports; without ports, a service of the same name and no ports either. */
function maySucceed(old: Claims, next: Claims | undefined): boolean {
  if (!old.ports || !next?.ports) {
    return true
  }
  return old.ports.length === 0
    ? next.ports.length === 0 && next.services.some(name => old.services.includes(name))
    : next.ports.some(port => old.ports?.includes(port))
}

/** By name, what the Compose files of stacks ask for; for those of which nobody can tell there is nothing. */
function claimsOf({ apps, convention, source: { texts } }: DescribedApps): ReadonlyMap<string, Claims> {
  const found = new Map<string, Claims>()
  const note = (name: string, files: unknown, environment: Readonly<Record<string, unknown>> | undefined) => {
    const claims = Array.isArray(files) ? composeClaims({ files, texts, environment }) : undefined
    if (claims) {
      found.set(name, claims)
    }
  }
  for (const { name, settings } of apps) {
    const { files, environment = {} } = settings as { files?: unknown; environment?: Record<string, unknown> }
    note(name, files, environment)
  }
  for (const [name, { composes }] of convention?.entries ?? []) {
    note(name, composes, undefined)
  }
  return found
}

/** Stacks whose files are wrong and that have never run. */
async function newBroken(
  db: Kysely<Tables>,
  repository: string,
  { convention }: DescribedApps,
): Promise<readonly string[]> {
  const wrong = [...(convention?.entries ?? [])]
    .filter(([, { state, kind }]) => state === 'broken' && kind === 'stack')
    .map(([name]) => name)
  const ran =
    wrong.length === 0
      ? []
      : await db
          .selectFrom('apps')
          .innerJoin('releases', 'releases.app_id', 'apps.id')
          .select('apps.entry')
          .distinct()
          .where('apps.repository_id', '=', repository)
          .where('apps.entry', 'in', wrong)
          .execute()
  return wrong.filter(name => !ran.some(({ entry }) => entry === name))
}

/** Names of described apps that the message of the commit asked not to make. Where nobody makes any, none is awaited. */
async function notMadeYet(
  db: Kysely<Tables>,
  { id, auto_apps }: Pick<Selectable<RepositoryTable>, 'id' | 'auto_apps'>,
  { apps, source: { texts } }: DescribedApps,
): Promise<readonly string[]> {
  if (auto_apps !== 1 || apps.length === 0) {
    return []
  }
  const isTakenDown = await takenDown(db, id)
  const known = await db
    .selectFrom('apps')
    .select('name')
    .where(
      'name',
      'in',
      apps.map(({ name }) => name),
    )
    .execute()
  return apps
    .filter(each => !known.some(({ name }) => name === each.name) && !isTakenDown({ app: each, texts }))
    .map(({ name }) => name)
}

/** Undefined: the plan says nothing of them. */
function plannedClaims(target: string, plan: string): Claims | undefined {
  const { release } = JSON.parse(plan) as { release?: Record<string, unknown> }
  return release && targetNamed(target)?.claims?.({ content: release })
}

/** Whether some commit wanted the app and had files of the new one too: then nobody renamed the one to the other. */
async function wereBothWanted(db: Kysely<Tables>, app: string, fresh: string): Promise<boolean> {
  const found = await db
    .selectFrom('deployments as own')
    .innerJoin('deployments as other', 'other.commit', 'own.commit')
    .select('own.id')
    .where('own.app_id', '=', app)
    .where('own.kind', '=', 'deploy')
    .where('own.wanted_release', 'is', null)
    .where('own.outcome', 'in', ['deployed', 'nothing-to-do', 'unaffected'])
    .where('other.app_id', '=', fresh)
    .where('other.wanted_commit', 'is', null)
    .where('other.state', '=', 'failed')
    .limit(1)
    .executeTakeFirst()
  return found !== undefined
}

/** Never deployed, with their last attempts. One that ended well was not asked for: it is yet to come. */
const freshApps = compiledOnce((db, { repository, host }: { repository: string; host: string }) =>
  db
    .selectFrom('apps')
    .innerJoin('deployments', join =>
      join.onRef('deployments.app_id', '=', 'apps.id').on('deployments.id', '=', eb =>
        eb
          .selectFrom('deployments as last')
          .select(({ fn }) => fn.max('last.id').as('id'))
          .whereRef('last.app_id', '=', 'apps.id')
          .where('last.state', '!=', 'superseded'),
      ),
    )
    .select(['apps.id', 'apps.name', 'apps.entry', 'apps.target', 'deployments.state', 'deployments.plan'])
    .where('apps.repository_id', '=', repository)
    .where('apps.host', '=', host)
    .where('apps.by_files', 'is not', null)
    .where('deployments.kind', '=', 'deploy')
    .where(eb =>
      eb.not(
        eb.exists(
          eb.selectFrom('releases').select('releases.id').whereRef('releases.app_id', '=', 'apps.id'),
        ),
      ),
    ),
)
