import { Type } from 'typebox'
import { AppOwnerBody } from '#contract/rest/app-owner.ts'
import {
  AppChange,
  AppDocument,
  AppPage,
  AppsQuery,
  NewApp,
  ReleasePage,
  ReleasesQuery,
  RemoveAppQuery,
} from '#contract/rest/apps.ts'
import { DeploymentDocument } from '#contract/rest/deployments.ts'
import { Name, strict } from '#contract/rest/fields.ts'
import { createApp } from '#manager/apps/create-app.ts'
import { driftSummary } from '#manager/apps/drift.ts'
import { statusOfApp } from '#manager/apps/observation.ts'
import { type AppRecord, listApps, listReleases, readApp } from '#manager/apps/queries.ts'
import { removeApp } from '#manager/apps/remove-app.ts'
import { updateApp } from '#manager/apps/update-app.ts'
import { resumeApp } from '#manager/deployments/breaker.ts'
import type { ListedDeployment } from '#manager/deployments/deployment.ts'
import { newestOf } from '#manager/deployments/queries.ts'
import { observedDocument } from '#manager/observation/last-seen.ts'
import { refuseOverQuota } from '#manager/people/app-quota.ts'
import { handOverApp, noteOwner } from '#manager/people/projects.ts'
import { isAdmin } from '#manager/people/roles.ts'
import { inTransaction } from '#manager/store/transaction.ts'
import { speakerOf } from './authenticate.ts'
import { appDocument, deploymentDocument, releaseDocument } from './documents.ts'
import { PAGE_SIZE, pageOf } from './page.ts'
import type { ApiParts } from './parts.ts'
import type { Api } from './shape.ts'
import { wantedVersion, withVersion } from './version.ts'
import { visibleNames } from './visible-names.ts'

export const AppPath = Type.Object({ app: Name }, strict)
const tags = ['apps']

/** Apps: what is deployed. */
export function appRoutes(api: Api, parts: ApiParts): void {
  const { db } = parts

  async function shown(app: AppRecord): Promise<AppDocument> {
    return documentOf(app, (await newestOf(db, [app.id])).get(app.id))
  }

  function documentOf(app: AppRecord, latest: ListedDeployment | undefined): AppDocument {
    return appDocument(app, {
      latest,
      observed: observedDocument(statusOfApp(parts, app), parts.clock.now()),
      drift: driftSummary(parts, app),
      badgeUrl: `${parts.config.publicUrl}/badges/${app.name}.svg`,
      visitors: parts.agents.state(app.host)?.agent?.visitors,
      now: parts.clock.now(),
    })
  }

  api.get(
    '/apps',
    { schema: { summary: 'List apps by name', tags, querystring: AppsQuery, response: { 200: AppPage } } },
    async request => {
      const { limit = PAGE_SIZE, cursor, ...filter } = request.query
      const only = await visibleNames(parts, request)
      const apps = await listApps(db, { ...filter, limit: limit + 1, after: cursor, only })
      const page = pageOf(apps, limit, app => app.name)
      const newest = await newestOf(
        db,
        page.items.map(({ id }) => id),
      )
      return { ...page, items: page.items.map(app => documentOf(app, newest.get(app.id))) }
    },
  )

  api.post(
    '/apps',
    {
      schema: {
        summary: 'Create an app of a repository',
        tags,
        body: NewApp,
        response: { 201: AppDocument },
      },
    },
    async (request, reply) => {
      const speaker = speakerOf(request)
      const app = await inTransaction(db, async inside => {
        await refuseOverQuota(inside, speaker)
        const rights = { mayChooseHost: isAdmin(speaker) }
        const made = await createApp({ ...parts, db: inside }, request.body, rights)
        await noteOwner(inside, speaker, { kind: 'app', id: made.id })
        return made
      })
      withVersion(reply, app.version)
      return reply
        .code(201)
        .header('location', `/api/v1/apps/${app.name}`)
        .send(await shown(app))
    },
  )

  api.get(
    '/apps/:app',
    { schema: { summary: 'Read an app', tags, params: AppPath, response: { 200: AppDocument } } },
    async ({ params }, reply) => {
      const app = await readApp(db, params.app)
      withVersion(reply, app.version)
      return await shown(app)
    },
  )

  api.patch(
    '/apps/:app',
    {
      schema: {
        summary: 'Change an app; takes effect with the next deployment',
        tags,
        params: AppPath,
        body: AppChange,
        response: { 200: AppDocument },
      },
    },
    async (request, reply) => {
      const { params, body } = request
      const app = await updateApp(parts, { name: params.app, change: body, version: wantedVersion(request) })
      withVersion(reply, app.version)
      return await shown(app)
    },
  )

  api.put(
    '/apps/:app/owner',
    {
      schema: {
        summary: 'Hand an app over to another person',
        description:
          'Who owns it may do with it what a maintainer may, as long as they have a role where it belongs.',
        tags,
        params: AppPath,
        body: AppOwnerBody,
        response: { 200: AppDocument },
      },
    },
    async ({ params, body }) => {
      const app = await readApp(db, params.app)
      await handOverApp(db, app.id, body.owner)
      parts.events.publish('app', { id: app.id, app: app.name, state: 'changed' })
      return await shown(await readApp(db, params.app))
    },
  )

  api.delete(
    '/apps/:app',
    {
      schema: {
        summary: 'Take an app down and remove it',
        description:
          'Answers 202 with the deployment that takes it down, or 204 when nothing of it ever ran.',
        tags,
        params: AppPath,
        querystring: RemoveAppQuery,
        response: { 202: DeploymentDocument, 204: Type.Null() },
      },
    },
    async (request, reply) => {
      const { volumes = 'keep', forget = false } = request.query
      const deployment = await removeApp(parts, {
        name: request.params.app,
        version: wantedVersion(request),
        by: speakerOf(request).name,
        volumes,
        how: forget ? 'forget' : 'take-down',
      })
      parts.queue.wake()
      return deployment ? reply.code(202).send(deploymentDocument(deployment)) : reply.code(204).send(null)
    },
  )

  api.post(
    '/apps/:app/resume',
    {
      schema: {
        summary: 'End the pause of an app; what is queued starts. Without one nothing happens.',
        tags,
        params: AppPath,
        response: { 200: AppDocument },
      },
    },
    async ({ params }) => {
      await resumeApp(parts, await readApp(db, params.app))
      parts.queue.wake()
      return await shown(await readApp(db, params.app))
    },
  )

  api.get(
    '/apps/:app/releases',
    {
      schema: {
        summary: 'List releases, newest first',
        tags,
        params: AppPath,
        querystring: ReleasesQuery,
        response: { 200: ReleasePage },
      },
    },
    async ({ params, query }) => {
      const { limit = PAGE_SIZE, cursor } = query
      const app = await readApp(db, params.app)
      const releases = await listReleases(db, app.id, { limit: limit + 1, before: cursor })
      const page = pageOf(releases, limit, release => release.id)
      return { ...page, items: page.items.map(releaseDocument) }
    },
  )
}
