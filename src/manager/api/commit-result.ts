import { Type } from 'typebox'
import { Commit, Name, strict } from '#contract/rest/fields.ts'
import { CommitResult } from '#contract/rest/result.ts'
import { resultOfCommit } from '#manager/deployments/commit-result.ts'
import { readRepository } from '#manager/repositories/queries.ts'
import type { ApiParts } from './parts.ts'
import type { Api } from './shape.ts'

const Path = Type.Object({ repository: Name, commit: Commit }, strict)

/** What a commit of a repository led to, over all of its apps. */
export function commitResultRoutes(api: Api, { db }: ApiParts): void {
  api.get(
    '/repositories/:repository/results/:commit',
    {
      schema: {
        summary: 'How all deployments of a commit went, as a CI job keeps it',
        description:
          'Of each app of the repository the last deployment from this commit, or the removal that it led to. "running" while one of them has not ended, or one reads the branch; "waiting" once all that is left waits for a person.',
        tags: ['repositories'],
        params: Path,
        response: { 200: CommitResult },
      },
    },
    async ({ params }) => {
      const { id } = await readRepository(db, params.repository)
      return await resultOfCommit(db, id, params.commit)
    },
  )
}
