import { ContainersDocument, DeployBody, RollbackBody, StopBody } from '#contract/rest/apps.ts'
import { DeploymentDocument } from '#contract/rest/deployments.ts'
import { DriftDocument } from '#contract/rest/drift.ts'
import { PlanBody, PlanDocument } from '#contract/rest/plans.ts'
import { VisitBody, VisitDocument } from '#contract/rest/visits.ts'
import { driftDocument } from '#manager/apps/drift.ts'
import { readObservation, statusOfApp } from '#manager/apps/observation.ts'
import { openVisit } from '#manager/apps/open-visit.ts'
import { readApp } from '#manager/apps/queries.ts'
import { rollBack } from '#manager/apps/roll-back.ts'
import { startApp, stopApp } from '#manager/apps/stop-app.ts'
import { observedDocument } from '#manager/observation/last-seen.ts'
import { planApp } from '#manager/pipeline/plan-app.ts'
import { AppPath } from './apps.ts'
import { speakerOf } from './authenticate.ts'
import { deploymentDocument, planDocument } from './documents.ts'
import { COMMIT_AND_RELEASE } from './errors.ts'
import type { ApiParts } from './parts.ts'
import { deployNamed, started } from './request-deploy.ts'
import type { Api } from './shape.ts'

const tags = ['apps']

/** What can be done with an app. */
export function appActionRoutes(api: Api, parts: ApiParts): void {
  const { db } = parts

  api.post(
    '/apps/:app/deploy',
    {
      schema: {
        summary: 'Deploy the tip of the branch, a commit, or an earlier release',
        tags,
        params: AppPath,
        body: DeployBody,
        response: { 202: DeploymentDocument },
      },
    },
    async (request, reply) => {
      const { params, body } = request
      const speaker = speakerOf(request)
      if (body.release !== undefined && (body.commit ?? body.version) !== undefined) {
        throw COMMIT_AND_RELEASE()
      }
      const { commit, release, version } = body
      const wait = { seconds: body.wait_seconds, gone: request.signal }
      const artifact = version === undefined ? undefined : { version }
      const now =
        release === undefined
          ? await deployNamed(parts, { app: params.app, commit, artifact, speaker, wait })
          : await started(parts, await rollBack(parts, { app: params.app, release, by: speaker.name }), wait)
      return reply.code(202).send(deploymentDocument(now))
    },
  )

  api.post(
    '/apps/:app/rollback',
    {
      schema: {
        summary: 'Bring an earlier release back',
        tags,
        params: AppPath,
        body: RollbackBody,
        response: { 202: DeploymentDocument },
      },
    },
    async (request, reply) => {
      const { params, body } = request
      const by = speakerOf(request).name
      const deployment = await rollBack(parts, { app: params.app, release: body.release, by })
      const now = await started(parts, deployment, { seconds: body.wait_seconds, gone: request.signal })
      return reply.code(202).send(deploymentDocument(now))
    },
  )

  for (const [verb, act, summary] of [
    ['stop', stopApp, 'End what runs of an app until a person starts it; volumes, images and releases stay'],
    ['start', startApp, 'Bring back the release that ran when the app was stopped'],
  ] as const) {
    api.post(
      `/apps/:app/${verb}`,
      { schema: { summary, tags, params: AppPath, body: StopBody, response: { 202: DeploymentDocument } } },
      async (request, reply) => {
        const { params, body } = request
        const deployment = await act(parts, { app: params.app, by: speakerOf(request).name })
        const now = await started(parts, deployment, { seconds: body.wait_seconds, gone: request.signal })
        return reply.code(202).send(deploymentDocument(now))
      },
    )
  }

  api.post(
    '/apps/:app/plan',
    {
      schema: {
        summary: 'Say what a deployment would do now, without doing it',
        tags,
        params: AppPath,
        body: PlanBody,
        response: { 200: PlanDocument },
      },
    },
    async ({ params, body }) => {
      const app = await readApp(db, params.app)
      const { commit, version } = body
      const artifact = version === undefined ? undefined : { version }
      return planDocument(await planApp(parts, app.id, { commit, artifact }))
    },
  )

  api.post(
    '/apps/:app/visits',
    {
      schema: {
        summary: 'Get a link that opens a guarded app once',
        description: 'Whoever follows it within five minutes stays let in for twelve hours, in that browser.',
        tags,
        params: AppPath,
        body: VisitBody,
        response: { 201: VisitDocument },
      },
    },
    async (request, reply) => {
      const { params, body } = request
      const visitor = speakerOf(request).tokenId
      const { url, expiresAt } = await openVisit(parts, { app: params.app, visitor, to: body.to ?? '/' })
      return reply.code(201).send({ url, expires_at: new Date(expiresAt).toISOString() })
    },
  )

  api.get(
    '/apps/:app/containers',
    {
      schema: {
        summary: 'What was seen running last',
        tags,
        params: AppPath,
        response: { 200: ContainersDocument },
      },
    },
    async ({ params }) => {
      const app = await readApp(db, params.app)
      return {
        status: observedDocument(statusOfApp(parts, app), parts.clock.now()),
        ...(await readObservation(db, app)),
      }
    },
  )
  api.get(
    '/apps/:app/drift',
    {
      schema: {
        summary: 'What differs from what the last deployment left',
        description:
          'Containers, their configuration and routes that somebody changed by hand, each with its reason and age.',
        tags,
        params: AppPath,
        response: { 200: DriftDocument },
      },
    },
    async ({ params }) => driftDocument(parts, await readApp(db, params.app)),
  )
}
