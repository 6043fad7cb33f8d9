import type { FastifyRequest } from 'fastify'
import { findAppOfService } from '#manager/artifacts/queries.ts'
import { NOT_ALLOWED_HERE } from '#manager/ci/errors.ts'
import type { ManagerParts } from '#manager/parts.ts'
import { speakerOf } from './authenticate.ts'

type Parts = Pick<ManagerParts, 'db'>
type Path = Readonly<Record<string, string>>

/**
 * All that the token of a CI job may do, by route, with the app that this concerns. What is not here is refused, so a
 * new route is closed to it until somebody opens it.
 */
const OPEN: Readonly<
  Record<string, (path: Path, parts: Parts, body: unknown) => Promise<string | undefined>>
> = {
  'POST /api/v1/apps/:app/deploy': async ({ app }, _, body) => (wantsRelease(body) ? undefined : app),
  'POST /api/v1/artifacts': async (_, { db }, body) => await findAppOfService(db, serviceIn(body)),
  'GET /api/v1/deployments/:id': appOfDeployment,
  'GET /api/v1/deployments/:id/log': appOfDeployment,
  'GET /api/v1/deployments/:id/result.json': appOfDeployment,
}

/** Refuses what the token that speaks may not do; one of a person may do everything. */
export function authoriser(parts: Parts) {
  return async (request: FastifyRequest): Promise<void> => {
    const { apps } = speakerOf(request)
    if (apps === undefined) {
      return
    }
    const appOf = OPEN[`${request.method} ${request.routeOptions.url}`]
    const app = await appOf?.(request.params as Path, parts, request.body)
    if (app === undefined || !apps.includes(app)) {
      throw NOT_ALLOWED_HERE(apps.join(', '))
    }
  }
}

/** An earlier release is not what the job has built or tested. */
function wantsRelease(body: unknown): boolean {
  return (body as { release?: unknown } | undefined)?.release !== undefined
}

function serviceIn(body: unknown): string {
  return String((body as { service_name?: unknown } | undefined)?.service_name)
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
