import { Type } from 'typebox'
import { ArtifactDocument, ArtifactPage, ArtifactsQuery, NewArtifact } from '#contract/rest/artifacts.ts'
import { DeploymentDocument } from '#contract/rest/deployments.ts'
import { Id, strict } from '#contract/rest/fields.ts'
import { ARTIFACT_TYPE_UNSUPPORTED } from '#manager/artifacts/errors.ts'
import { type ArtifactRow, appOfService, listArtifacts, readArtifact } from '#manager/artifacts/queries.ts'
import { speakerOf } from './authenticate.ts'
import { deploymentDocument, timeText } from './documents.ts'
import { PAGE_SIZE, pageOf } from './page.ts'
import type { ApiParts } from './parts.ts'
import { deployNamed } from './request-deploy.ts'
import type { Api } from './shape.ts'

const ArtifactPath = Type.Object({ id: Id }, strict)
const tags = ['artifacts']

/** Artefacts: images that apps made for others to fetch. */
export function artifactRoutes(api: Api, parts: ApiParts): void {
  const { db } = parts

  api.get(
    '/artifacts',
    {
      schema: {
        summary: 'List artefacts, newest first',
        tags,
        querystring: ArtifactsQuery,
        response: { 200: ArtifactPage },
      },
    },
    async ({ query }) => {
      const { limit = PAGE_SIZE, cursor, service_name: serviceName, ...filter } = query
      const found = await listArtifacts(db, { ...filter, serviceName, limit: limit + 1, before: cursor })
      const page = pageOf(found, limit, artifact => artifact.id)
      return { ...page, items: page.items.map(artifactDocument) }
    },
  )

  api.get(
    '/artifacts/:id',
    {
      schema: {
        summary: 'Read an artefact',
        tags,
        params: ArtifactPath,
        response: { 200: ArtifactDocument },
      },
    },
    async ({ params }) => artifactDocument(await readArtifact(db, params.id)),
  )

  api.post(
    '/artifacts',
    {
      schema: {
        summary: 'Build a version of a service and push it',
        description:
          'A deployment of the app that makes the service. It has succeeded when every registry answered with the pushed digest; then the artefact is in the list.',
        tags,
        body: NewArtifact,
        response: { 202: DeploymentDocument },
      },
    },
    async (request, reply) => {
      const { service_name: serviceName, version, type = 'docker', commit, wait_seconds } = request.body
      if (type.toLowerCase() !== 'docker') {
        throw ARTIFACT_TYPE_UNSUPPORTED(type)
      }
      const app = await appOfService(db, serviceName)
      // The app may be asked for by its own name, which need not be that of its service.
      const artifact = app === serviceName ? { version } : { version, serviceName }
      const now = await deployNamed(parts, {
        ...{ app, commit, artifact, speaker: speakerOf(request) },
        wait: { seconds: wait_seconds, gone: request.signal },
      })
      return reply.code(202).send(deploymentDocument(now))
    },
  )
}

function artifactDocument(row: ArtifactRow): ArtifactDocument {
  const references = JSON.parse(row.references) as Readonly<Record<string, string>>
  return {
    id: row.id,
    type: 'docker',
    service_name: row.service_name,
    version: row.version,
    image: row.image,
    image_id: row.image_id,
    references: Object.entries(references).map(([reference, digest]) => ({ reference, digest })),
    bytes: row.bytes,
    app: row.app,
    commit: row.commit,
    deployment: row.deployment_id,
    created_at: timeText(row.created_at),
  }
}
