import type { FastifyRequest } from 'fastify'
import type { RoleName } from '#contract/rest/people.ts'
import type { ItemKind } from '#contract/rest/projects.ts'
import type { FairleadError } from '#lib/errors.ts'
import { ARTIFACT_NOT_FOUND } from '#manager/artifacts/errors.ts'
import { findAppOfService, makerOf } from '#manager/artifacts/queries.ts'
import { NOT_ALLOWED_HERE } from '#manager/ci/errors.ts'
import { APP_NOT_FOUND, DEPLOYMENT_NOT_FOUND } from '#manager/deployments/errors.ts'
import { NOTEBOOK_NOT_FOUND } from '#manager/notebooks/errors.ts'
import type { ManagerParts } from '#manager/parts.ts'
import { rolesInProjects, rolesOn } from '#manager/people/access.ts'
import { FACTOR_REQUIRED, PROJECT_NOT_FOUND, ROLE_MISSING, SCOPE_MISSING } from '#manager/people/errors.ts'
import { highest, isAdmin, isAtLeast, SCOPE_OF } from '#manager/people/roles.ts'
import { lacksFactor } from '#manager/people/sign-in-rules.ts'
import type { Speaker } from '#manager/people/tokens.ts'
import { REPOSITORY_UNKNOWN } from '#manager/repositories/errors.ts'
import { SYSTEM_NOT_FOUND } from '#manager/systems/errors.ts'
import { ownerOf } from '#manager/systems/owners.ts'
import { targetNamed } from '#targets/index.ts'
import { speakerOf } from './authenticate.ts'
import { ROUTE_RULES, type RouteRule } from './route-rules.ts'

type Parts = Pick<ManagerParts, 'db'>
type Path = Readonly<Record<string, string>>

/** What a request is about: the thing that decides, and how one says that it is not there. */
interface Target {
  readonly kind: ItemKind
  readonly name: string | undefined
  readonly notFound: FairleadError
}

/**
 * All that the token of a CI job may do, by route, with the app that this concerns. What is not here is refused, so a
 * new route is closed to it until somebody opens it.
 */
const OPEN: Readonly<
  Record<string, (path: Path, parts: Parts, body: unknown) => Promise<string | undefined>>
> = {
  'POST /api/v1/apps/:app/deploy': async ({ app }, _, body) => (wantsRelease(body) ? undefined : app),
  'POST /api/v1/artifacts': async (_, { db }, body) =>
    await findAppOfService(db, textIn(body, 'service_name')),
  'GET /api/v1/deployments/:id': appOfDeployment,
  'GET /api/v1/deployments/:id/log': appOfDeployment,
  'GET /api/v1/deployments/:id/result.json': appOfDeployment,
}

/** What is open to who has to turn a second factor on first. */
const FOR_FACTOR: readonly string[] = [
  'GET /api/v1/me',
  'POST /api/v1/sign-out',
  'POST /api/v1/me/two-factor',
  'POST /api/v1/me/two-factor/confirm',
]

/** Refuses what who speaks may not do; what they may not even see is not there for them. */
export function authoriser(parts: Parts) {
  return async (request: FastifyRequest): Promise<void> => {
    const speaker = speakerOf(request)
    const route = routeOf(request)
    if (speaker.apps !== undefined) {
      const app = await OPEN[route]?.(request.params as Path, parts, request.body)
      if (app === undefined || !speaker.apps.includes(app)) {
        throw NOT_ALLOWED_HERE(speaker.apps.join(', '))
      }
      return
    }
    const rule = ROUTE_RULES[route] ?? { needs: 'admin', where: 'everywhere' }
    refuseOutOfScope(speaker, rule)
    if (!FOR_FACTOR.includes(route) && (await lacksFactor(parts.db, speaker))) {
      throw FACTOR_REQUIRED()
    }
    if (!isAdmin(speaker)) {
      await refuseWithoutRole(request, { parts, speaker, rule })
    }
  }
}

/** Leaves out of a list what who asks may not see. */
export function listFilter({ db }: Parts) {
  return async (request: FastifyRequest, _reply: unknown, payload: unknown): Promise<unknown> => {
    const { items } = ROUTE_RULES[routeOf(request)] ?? {}
    const { speaker } = request
    const list = (payload as { items?: Readonly<Record<string, string>>[] } | null)?.items
    if (!items || !list || !speaker || speaker.apps || speaker.role === 'admin') {
      return payload
    }
    const names = list.map(item => item[items.key] ?? '')
    const roles = await rolesOn(db, speaker, items.kind, names)
    // Where a role holds everywhere, only what is somebody else's own is left out.
    const isSeen = (name = '') => (speaker.role === null ? roles.get(name) : roles.get(name) !== null)
    return { ...(payload as object), items: list.filter((_, index) => isSeen(names[index])) }
  }
}

function routeOf(request: FastifyRequest): string {
  return `${request.method} ${request.routeOptions.url}`
}

/** Whatever the person may: a token can be given less. */
function refuseOutOfScope({ scopes }: Speaker, { needs, where }: RouteRule): void {
  if (scopes && where !== 'own' && !scopes.includes(SCOPE_OF[needs])) {
    throw SCOPE_MISSING(SCOPE_OF[needs])
  }
}

interface Asked {
  readonly parts: Parts
  readonly speaker: Speaker
  readonly rule: RouteRule
}

async function refuseWithoutRole(
  request: FastifyRequest,
  { parts: { db }, speaker, rule: { needs, where } }: Asked,
): Promise<void> {
  if (where === 'own' || where === 'somewhere') {
    return
  }
  if (where === 'everywhere') {
    refuseBelow(speaker.role, needs)
    return
  }
  const path = request.params as Path
  if (where === 'project') {
    refuseBelow(await roleInProject(db, speaker, path.project ?? ''), needs)
    return
  }
  const { kind, name, notFound } = await TARGETS[where](path, { db }, request.body)
  const roles = await rolesOn(db, speaker, kind, name === undefined ? [] : [name])
  const role = roles.get(name ?? '') ?? null
  const isNotTheirs = role === null && roles.has(name ?? '')
  // What is nowhere is nobody's: its own route says so to those who see everything.
  if (isNotTheirs || (role === null && speaker.role === null)) {
    throw notFound
  }
  refuseBelow(role ?? speaker.role, needs)
  if (kind !== 'app' || needs === 'viewer' || name === undefined || where === 'system') {
    return
  }
  const { id } = ownerOf(speaker)
  // Its owner may cancel what they asked for.
  const mayCancel = where === 'deployment' && needs === 'deployer' ? id : undefined
  if (await isForAdmins(db, name, mayCancel)) {
    refuseBelow(speaker.role, 'admin')
    refuseOutOfScope(speaker, { needs: 'admin', where: 'everywhere' })
  }
}

/** What acts on an app acts on all of it, so routes of apps give no more than those of its own. */
async function isForAdmins(db: Parts['db'], app: string, butNotFor: string | undefined): Promise<boolean> {
  const row = await db
    .selectFrom('apps')
    .leftJoin('systems', 'systems.app_id', 'apps.id')
    .select(['target', 'systems.owner'])
    .where('name', '=', app)
    .executeTakeFirst()
  const isTheirs = butNotFor !== undefined && row?.owner === butNotFor
  return targetNamed(row?.target ?? '')?.keepers === 'admins' && !isTheirs
}

async function roleInProject(db: Parts['db'], speaker: Speaker, name: string): Promise<RoleName | null> {
  const row = await db.selectFrom('projects').select('id').where('name', '=', name).executeTakeFirst()
  const role = highest(speaker.role, (await rolesInProjects(db, speaker)).get(row?.id ?? ''))
  if (role === null) {
    throw PROJECT_NOT_FOUND(name)
  }
  return role
}

function refuseBelow(role: RoleName | null, needs: RoleName): void {
  if (!isAtLeast(role, needs)) {
    throw ROLE_MISSING(needs, role)
  }
}

const TARGETS: Readonly<
  Record<
    Exclude<RouteRule['where'], 'everywhere' | 'own' | 'somewhere' | 'project'>,
    (path: Path, parts: Parts, body: unknown) => Promise<Target>
  >
> = {
  system: async ({ system = '' }) => ({ kind: 'app', name: system, notFound: SYSTEM_NOT_FOUND(system) }),
  app: async ({ app = '' }) => ({ kind: 'app', name: app, notFound: APP_NOT_FOUND(app) }),
  repository: async ({ repository = '' }) => repositoryNamed(repository),
  'repository of the body': async (_, __, body) => repositoryNamed(textIn(body, 'repository')),
  'service of the body': async (_, { db }, body) => {
    const service = textIn(body, 'service_name')
    return { kind: 'app', name: await findAppOfService(db, service), notFound: APP_NOT_FOUND(service) }
  },
  deployment: async (path, parts) => ({
    kind: 'app',
    name: await appOfDeployment(path, parts),
    notFound: DEPLOYMENT_NOT_FOUND(path.id ?? ''),
  }),
  artifact: async ({ id = '' }, { db }) => {
    return { kind: 'app', name: await makerOf(db, id), notFound: ARTIFACT_NOT_FOUND(id) }
  },
  notebook: async ({ notebook = '' }, { db }) => {
    const row = await db
      .selectFrom('notebooks')
      .innerJoin('repositories', 'repositories.id', 'notebooks.repository_id')
      .select('repositories.name')
      .where('notebooks.app', '=', notebook)
      .executeTakeFirst()
    return { kind: 'repository', name: row?.name, notFound: NOTEBOOK_NOT_FOUND(notebook) }
  },
}

function repositoryNamed(name: string): Target {
  return { kind: 'repository', name, notFound: REPOSITORY_UNKNOWN(name) }
}

/** An earlier release is not what the job has built or tested. */
function wantsRelease(body: unknown): boolean {
  return (body as { release?: unknown } | undefined)?.release !== undefined
}

function textIn(body: unknown, key: string): string {
  return String((body as Record<string, unknown> | undefined)?.[key])
}

async function appOfDeployment({ id = '' }: Path, { db }: Parts): Promise<string | undefined> {
  const row = await db
    .selectFrom('deployments')
    .innerJoin('apps', 'apps.id', 'deployments.app_id')
    .select('apps.name')
    .where('deployments.id', '=', id)
    .executeTakeFirst()
  return row?.name
}
