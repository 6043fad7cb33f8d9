import { Type } from 'typebox'
import { Name, strict } from '#contract/rest/fields.ts'
import { HeldRemovalList, RemovalsBody } from '#contract/rest/removals.ts'
import { allowRemovals } from '#manager/apps/allow-removals.ts'
import { heldRemovals } from '#manager/apps/held-removals.ts'
import { repositoryNamed } from '#manager/repositories/queries.ts'
import { speakerOf } from './authenticate.ts'
import { optionalTime, timeText } from './documents.ts'
import type { ApiParts } from './parts.ts'
import type { Api } from './shape.ts'

const RepositoryPath = Type.Object({ repository: Name }, strict)
const tags = ['repositories']

/** Removals that the files of a repository ask for and that wait for a person. */
export function removalRoutes(api: Api, parts: ApiParts): void {
  api.get(
    '/repositories/:repository/removals',
    {
      schema: {
        summary: 'List apps that its files want no more and that go on until a person agrees',
        tags,
        params: RepositoryPath,
        response: { 200: HeldRemovalList },
      },
    },
    async ({ params }) => {
      const { id } = await repositoryNamed(parts.db, params.repository)
      return documentOf(await heldRemovals(parts.db, id))
    },
  )

  api.post(
    '/repositories/:repository/removals',
    {
      schema: {
        summary: 'Agree that these apps are removed',
        description:
          'The files are looked at again: an app whose file came back meanwhile is deployed instead. Volumes stay.',
        tags,
        params: RepositoryPath,
        body: RemovalsBody,
        response: { 202: HeldRemovalList },
      },
    },
    async (request, reply) => {
      const { repository } = request.params
      const agreement = { repository, apps: request.body.apps, by: speakerOf(request).name }
      return reply.code(202).send(documentOf(await allowRemovals(parts, agreement)))
    },
  )
}

function documentOf(rows: Awaited<ReturnType<typeof heldRemovals>>): HeldRemovalList {
  return {
    items: rows.map(({ name, why, tip, created_at, allowed_by, allowed_at }) => ({
      ...{ app: name, why, commit: tip, since: timeText(created_at) },
      ...{ allowed_by, allowed_at: optionalTime(allowed_at) },
    })),
  }
}
