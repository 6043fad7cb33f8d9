import { Type } from 'typebox'
import { DeploymentDocument } from '#contract/rest/deployments.ts'
import { HostName, strict } from '#contract/rest/fields.ts'
import {
  CollectionDocument,
  CollectWish,
  RegistryDocument,
  RegistryRequested,
  RegistryWish,
  TrustDocument,
} from '#contract/rest/registry.ts'
import { previewCollection, requestCollection } from '#manager/registry/collect.ts'
import { describeRegistry } from '#manager/registry/describe.ts'
import { hashedWish } from '#manager/registry/hashed-wish.ts'
import { setRegistry } from '#manager/registry/set-registry.ts'
import { trustRegistry } from '#manager/registry/trust.ts'
import { speakerOf } from './authenticate.ts'
import { deploymentDocument } from './documents.ts'
import type { ApiParts } from './parts.ts'
import type { Api } from './shape.ts'

const tags = ['registry']

/** The registry that deployments push to: the one that Fairlead runs, or the one that the environment names. */
export function registryRoutes(api: Api, parts: ApiParts): void {
  api.get(
    '/registry',
    { schema: { summary: 'Which registry deployments push to', tags, response: { 200: RegistryDocument } } },
    async () => await describeRegistry(parts),
  )

  api.put(
    '/registry',
    {
      schema: {
        summary: 'Make a registry, or change its certificate, account, port or image',
        description:
          'What is left out stays. It counts as soon as the deployment that it answers with has succeeded.',
        tags,
        body: RegistryWish,
        response: { 202: RegistryRequested },
      },
    },
    async (request, reply) => {
      const deployment = await setRegistry(parts, await hashedWish(request.body), speakerOf(request).name)
      parts.queue.wake()
      const registry = await describeRegistry(parts)
      return reply.code(202).send({ registry, deployment: deploymentDocument(deployment) })
    },
  )

  api.post(
    '/registry/trust',
    {
      schema: {
        summary: "Let the workers' engines trust the registry's certificate",
        description: 'Only a worker whose policy names a folder for it does so; the others say what to do.',
        tags,
        body: Type.Object({ host: Type.Optional(HostName) }, strict),
        response: { 200: TrustDocument },
      },
    },
    async ({ body }) => ({ items: await trustRegistry(parts, body.host) }),
  )

  api.get(
    '/registry/collection',
    {
      schema: {
        summary: 'What a collection would delete now, what would stay, and why',
        tags,
        querystring: CollectWish,
        response: { 200: CollectionDocument },
      },
    },
    async ({ query }) => await previewCollection(parts, query.older_than_seconds),
  )

  api.post(
    '/registry/collect',
    {
      schema: {
        summary: 'Delete images that our builds made and nothing names, and their layers',
        description:
          'A deployment of the registry, which waits until no other one runs and lets none begin. Pulls fail for the seconds in which layers are deleted.',
        tags,
        body: CollectWish,
        response: { 202: DeploymentDocument },
      },
    },
    async (request, reply) => {
      const deployment = await requestCollection(
        parts,
        speakerOf(request).name,
        request.body.older_than_seconds,
      )
      parts.queue.wake()
      return reply.code(202).send(deploymentDocument(deployment))
    },
  )
}
