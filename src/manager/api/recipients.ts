import { Type } from 'typebox'
import { Name, strict } from '#contract/rest/fields.ts'
import { RecipientDocument } from '#contract/rest/secrets.ts'
import { repositoryNamed } from '#manager/repositories/queries.ts'
import { type Recipient, recipientOf, renewRecipient } from '#manager/secrets/repository-keys.ts'
import { timeText } from './documents.ts'
import type { ApiParts } from './parts.ts'
import type { Api } from './shape.ts'

const tags = ['secrets']
const RepositoryPath = Type.Object({ repository: Name }, strict)

/** Whom files in a repository are encrypted for. What opens them never leaves the manager. */
export function recipientRoutes(api: Api, parts: ApiParts): void {
  api.get(
    '/repositories/:repository/recipient',
    {
      schema: {
        summary: 'Read whom encrypted files of a repository are for; made when it is first asked for',
        tags,
        params: RepositoryPath,
        response: { 200: RecipientDocument },
      },
    },
    async ({ params }) => {
      const { id } = await repositoryNamed(parts.db, params.repository)
      return document(await recipientOf(parts, id))
    },
  )

  api.post(
    '/repositories/:repository/recipient',
    {
      schema: {
        summary: 'Make another one; files that are encrypted for those before it stay readable',
        tags,
        params: RepositoryPath,
        response: { 200: RecipientDocument },
      },
    },
    async ({ params }) => {
      const { id } = await repositoryNamed(parts.db, params.repository)
      return document(await renewRecipient(parts, id))
    },
  )
}

function document({ recipient, createdAt, earlier }: Recipient) {
  return { recipient, created_at: timeText(createdAt), earlier }
}
