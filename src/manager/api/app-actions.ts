import { ContainersDocument, DeployBody, PlanBody, PlanDocument, RollbackBody } from '#contract/rest/apps.ts'
import { DeploymentDocument } from '#contract/rest/deployments.ts'
import { DriftDocument } from '#contract/rest/drift.ts'
import { driftDocument } from '#manager/apps/drift.ts'
import { readObservation, statusOfApp } from '#manager/apps/observation.ts'
import { readApp } from '#manager/apps/queries.ts'
import { rollBack } from '#manager/apps/roll-back.ts'
import type { Deployment } from '#manager/deployments/deployment.ts'
import { STACK_HAS_NO_SOURCE } from '#manager/deployments/errors.ts'
import { requestDeployment } from '#manager/deployments/request.ts'
import { observedDocument } from '#manager/observation/last-seen.ts'
import type { Speaker } from '#manager/people/tokens.ts'
import { planApp } from '#manager/pipeline/plan-app.ts'
import { AppPath } from './apps.ts'
import { speakerOf } from './authenticate.ts'
import { deploymentDocument, planDocument } from './documents.ts'
import { COMMIT_AND_RELEASE } from './errors.ts'
import type { ApiParts } from './parts.ts'
import type { Api } from './shape.ts'
import { waitForEnd } from './wait-for-end.ts'

const tags = ['apps']

/** What can be done with an app. */
export function appActionRoutes(api: Api, parts: ApiParts): void {
  const { db } = parts

  async function started(deployment: Deployment, seconds: number | undefined, gone: AbortSignal) {
    parts.queue.wake()
    return seconds ? await waitForEnd(parts, deployment, { seconds, gone }) : deployment
  }

  async function deployCommit(name: string, speaker: Speaker, commit: string | undefined) {
    const app = await readApp(db, name)
    if (app.stack !== null && commit !== undefined) {
      throw STACK_HAS_NO_SOURCE(app.name)
    }
    // Whom a trust lets in for some apps only is a job of a CI system.
    const trigger = { kind: speaker.apps === undefined ? 'api' : 'ci', by: speaker.name } as const
    return await requestDeployment(parts, { appId: app.id, kind: 'deploy', trigger, commit })
  }

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
      if (body.release !== undefined && body.commit !== undefined) {
        throw COMMIT_AND_RELEASE()
      }
      const deployment =
        body.release === undefined
          ? await deployCommit(params.app, speaker, body.commit)
          : await rollBack(parts, { app: params.app, release: body.release, by: speaker.name })
      const now = await started(deployment, body.wait_seconds, request.signal)
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
      const now = await started(deployment, body.wait_seconds, request.signal)
      return reply.code(202).send(deploymentDocument(now))
    },
  )

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
      return planDocument(await planApp(parts, app.id, body.commit))
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
