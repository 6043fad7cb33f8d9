import { Type } from 'typebox'
import {
  ApproveBody,
  DeploymentDetail,
  DeploymentDocument,
  DeploymentPage,
  DeploymentsQuery,
} from '#contract/rest/deployments.ts'
import { Id, strict } from '#contract/rest/fields.ts'
import { ResultDocument } from '#contract/rest/result.ts'
import { approveDeployment } from '#manager/deployments/approval.ts'
import { isHeld } from '#manager/deployments/breaker.ts'
import { listHistory, readDetail } from '#manager/deployments/queries.ts'
import { cancelDeployment } from '#manager/deployments/request.ts'
import { resultOf } from '#manager/deployments/result.ts'
import { speakerOf } from './authenticate.ts'
import { deploymentLog } from './deployment-log.ts'
import { deploymentDetail, deploymentDocument } from './documents.ts'
import { PAGE_SIZE, pageOf } from './page.ts'
import type { ApiParts } from './parts.ts'
import type { Api } from './shape.ts'
import { visibleNames } from './visible-names.ts'

const DeploymentPath = Type.Object({ id: Id }, strict)
const tags = ['deployments']

/** Deployments: attempts to bring an app to a commit. */
export function deploymentRoutes(api: Api, parts: ApiParts): void {
  const { db } = parts

  api.get(
    '/deployments',
    {
      schema: {
        summary: 'List deployments, newest first',
        tags,
        querystring: DeploymentsQuery,
        response: { 200: DeploymentPage },
      },
    },
    async request => {
      const { query } = request
      const only = await visibleNames(parts, request)
      const { limit = PAGE_SIZE, cursor, app, state } = query
      const found = await listHistory(db, { limit: limit + 1, before: cursor, app, state, only })
      const page = pageOf(found, limit, deployment => deployment.id)
      return { ...page, items: page.items.map(deploymentDocument) }
    },
  )

  api.get(
    '/deployments/:id',
    {
      schema: {
        summary: 'Read a deployment with its steps, plan and evidence',
        tags,
        params: DeploymentPath,
        response: { 200: DeploymentDetail },
      },
    },
    async ({ params }) => {
      const { deployment, steps } = await readDetail(db, params.id)
      return deploymentDetail(deployment, { steps, held: await isHeld(db, deployment) })
    },
  )

  api.get(
    '/deployments/:id/log',
    {
      schema: {
        summary: 'The log of a deployment',
        description:
          'With "Accept: text/event-stream" as events: each line with its seq as id (resume with Last-Event-ID), then one event "end". Otherwise as text.',
        tags,
        params: DeploymentPath,
        produces: ['text/plain', 'text/event-stream'],
      },
    },
    deploymentLog(parts),
  )

  api.get(
    '/deployments/:id/result.json',
    {
      schema: {
        summary: 'How a deployment went, as a CI job keeps it',
        description:
          'By app a list of {"result"}, {"warning"} and {"error"}. Of a dry run the commands that would be run.',
        tags,
        params: DeploymentPath,
        response: { 200: ResultDocument },
      },
    },
    async ({ params }) => {
      const { deployment, steps } = await readDetail(db, params.id)
      return resultOf(deployment, steps)
    },
  )

  api.post(
    '/deployments/:id/approve',
    {
      schema: {
        summary: 'Approve the plan that a deployment waits with',
        description:
          'The deployment then looks afresh and makes its plan again. Only the approved plan is carried out: if it became another one, the deployment waits with that and says what changed. Approving the same plan again does nothing. 409 PLAN_IS_ANOTHER when it waits with another plan.',
        tags,
        params: DeploymentPath,
        body: ApproveBody,
        response: { 202: DeploymentDocument },
      },
    },
    async (request, reply) => {
      const { id } = request.params
      const by = speakerOf(request).name
      const deployment = await approveDeployment(parts, { id, hash: request.body.hash, by })
      parts.queue.wake()
      return reply.code(202).send(deploymentDocument(deployment))
    },
  )

  api.post(
    '/deployments/:id/cancel',
    {
      schema: {
        summary: 'Cancel a deployment; what ran before stays',
        description: 'For one that waits for an approval this rejects its plan.',
        tags,
        params: DeploymentPath,
        response: { 202: DeploymentDocument },
      },
    },
    async ({ params }, reply) => {
      const deployment = await cancelDeployment(parts, params.id)
      parts.queue.abort(params.id)
      // Something may have been queued behind it.
      parts.queue.wake()
      parts.queue.wake()
      return reply.code(202).send(deploymentDocument(deployment))
    },
  )
}
