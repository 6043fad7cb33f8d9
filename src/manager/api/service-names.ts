import { Type } from 'typebox'
import {
  ServiceName,
  ServiceNameDocument,
  ServiceNameGrant,
  ServiceNameList,
} from '#contract/rest/artifacts.ts'
import { strict } from '#contract/rest/fields.ts'
import {
  grantService,
  type ServiceName as Held,
  listServiceNames,
  releaseService,
} from '#manager/artifacts/service-names.ts'
import { timeText } from './documents.ts'
import type { ApiParts } from './parts.ts'
import type { Api } from './shape.ts'

const NamePath = Type.Object({ name: ServiceName }, strict)
const tags = ['artifacts']

/** Which repository makes artefacts of a name. */
export function serviceNameRoutes(api: Api, { db, clock }: ApiParts): void {
  api.get(
    '/service-names',
    {
      schema: {
        summary: 'List which repository makes artefacts of which name',
        tags,
        response: { 200: ServiceNameList },
      },
    },
    async () => ({ items: (await listServiceNames(db)).map(shown) }),
  )

  api.put(
    '/service-names/:name',
    {
      schema: {
        summary: 'Give the name of a service to a repository',
        description: 'Whoever had it. What was made under it before stays in the list of artefacts.',
        tags,
        params: NamePath,
        body: ServiceNameGrant,
        response: { 200: ServiceNameDocument },
      },
    },
    async ({ params, body }) =>
      shown(await grantService(db, { name: params.name, ...body, now: clock.now() })),
  )

  api.delete(
    '/service-names/:name',
    {
      schema: {
        summary: 'Free the name of a service',
        description: 'The next repository that makes an artefact of that name has it.',
        tags,
        params: NamePath,
        response: { 204: Type.Null() },
      },
    },
    async ({ params }, reply) => {
      await releaseService(db, params.name)
      return reply.code(204).send(null)
    },
  )
}

function shown({ name, repository, app, created_at }: Held): ServiceNameDocument {
  return { name, repository, app, since: timeText(created_at) }
}
