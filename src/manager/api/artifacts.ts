import { Type } from 'typebox'
import {
  ArtifactDocument,
  ArtifactPage,
  ArtifactsQuery,
  AttestationKind,
  NewArtifact,
} from '#contract/rest/artifacts.ts'
import { DeploymentDocument } from '#contract/rest/deployments.ts'
import { Id, strict } from '#contract/rest/fields.ts'
import { type AttestationRow, attestationsOf, readAttestation } from '#manager/artifacts/attestations.ts'
import { ARTIFACT_TYPE_UNSUPPORTED } from '#manager/artifacts/errors.ts'
import {
  type ArtifactRow,
  appOfService,
  forgetArtifact,
  listArtifacts,
  readArtifact,
} from '#manager/artifacts/queries.ts'
import { speakerOf } from './authenticate.ts'
import { deploymentDocument, timeText } from './documents.ts'
import { PAGE_SIZE, pageOf } from './page.ts'
import type { ApiParts } from './parts.ts'
import { deployNamed } from './request-deploy.ts'
import type { Api } from './shape.ts'
import { visibleNames } from './visible-names.ts'

const ArtifactPath = Type.Object({ id: Id }, strict)
const AttestationPath = Type.Object({ id: Id, kind: AttestationKind }, strict)
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
    async request => {
      const { query } = request
      const only = await visibleNames(parts, request)
      const { limit = PAGE_SIZE, cursor, service_name: serviceName, ...filter } = query
      const found = await listArtifacts(db, {
        ...filter,
        serviceName,
        only,
        limit: limit + 1,
        before: cursor,
      })
      const page = pageOf(found, limit, artifact => artifact.id)
      return { ...page, items: await documentsOf(db, page.items) }
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
    async ({ params }) => {
      const [document] = await documentsOf(db, [await readArtifact(db, params.id)])
      return document as ArtifactDocument
    },
  )

  api.delete(
    '/artifacts/:id',
    {
      schema: {
        summary: 'Take an artefact out of the list',
        description: 'Nothing is deleted in registries. On its host the next prune may take its image.',
        tags,
        params: ArtifactPath,
        response: { 204: Type.Null() },
      },
    },
    async ({ params }, reply) => {
      await forgetArtifact(db, params.id)
      return reply.code(204).send(null)
    },
  )

  api.get(
    '/artifacts/:id/:kind',
    {
      schema: {
        summary: 'Read what is said of an artefact',
        description:
          '`sbom`: its bill of materials, CycloneDX 1.6 in JSON. `provenance`: how it was made, an in-toto statement with a SLSA predicate.',
        tags,
        params: AttestationPath,
      },
    },
    async ({ params }, reply) => {
      const { mediaType, text } = await readAttestation(db, await readArtifact(db, params.id), params.kind)
      return await reply.type(mediaType).send(text)
    },
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

async function documentsOf(db: ApiParts['db'], rows: readonly ArtifactRow[]): Promise<ArtifactDocument[]> {
  const said = await attestationsOf(
    db,
    rows.map(row => row.deployment_id),
  )
  return rows.map(row =>
    artifactDocument(
      row,
      said.filter(each => each.deployment_id === row.deployment_id),
    ),
  )
}

function artifactDocument(row: ArtifactRow, said: readonly AttestationRow[]): ArtifactDocument {
  return {
    id: row.id,
    type: 'docker',
    service_name: row.service_name,
    version: row.version,
    image: row.image,
    image_id: row.image_id,
    references: pairsOf(row.references),
    attestations: said.map(({ kind, media_type, digest, bytes, manifests }) => ({
      ...{ kind, media_type, digest, bytes },
      manifests: pairsOf(manifests),
    })),
    bytes: row.bytes,
    app: row.app,
    commit: row.commit,
    deployment: row.deployment_id,
    created_at: timeText(row.created_at),
  }
}

function pairsOf(json: string): { reference: string; digest: string }[] {
  const digests = JSON.parse(json) as Readonly<Record<string, string>>
  return Object.entries(digests).map(([reference, digest]) => ({ reference, digest }))
}
