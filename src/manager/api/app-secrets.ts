import { Type } from 'typebox'
import { Name, strict } from '#contract/rest/fields.ts'
import { SecretBody, SecretDocument, SecretList, SecretName } from '#contract/rest/secrets.ts'
import { readApp } from '#manager/apps/queries.ts'
import { SECRET_NOT_FOUND } from '#manager/secrets/errors.ts'
import { deleteSecret, listSecrets, type SecretRecord, setSecret } from '#manager/secrets/queries.ts'
import { AppPath } from './apps.ts'
import { timeText } from './documents.ts'
import type { ApiParts } from './parts.ts'
import type { Api } from './shape.ts'

const SecretPath = Type.Object({ app: Name, name: SecretName }, strict)
const tags = ['secrets']

/** Secrets of an app: written and listed, never read back. */
export function secretRoutes(api: Api, parts: ApiParts): void {
  const { db } = parts

  api.get(
    '/apps/:app/secrets',
    { schema: { summary: 'List names of secrets', tags, params: AppPath, response: { 200: SecretList } } },
    async ({ params }) => {
      const app = await readApp(db, params.app)
      return { items: (await listSecrets(db, app.id)).map(secretDocument) }
    },
  )

  api.put(
    '/apps/:app/secrets/:name',
    {
      schema: {
        summary: 'Set a secret; takes effect with the next deployment',
        tags,
        params: SecretPath,
        body: SecretBody,
        response: { 200: SecretDocument },
      },
    },
    async ({ params, body }) => {
      const app = await readApp(db, params.app)
      return secretDocument(await setSecret(parts, { appId: app.id, name: params.name, value: body.value }))
    },
  )

  api.delete(
    '/apps/:app/secrets/:name',
    { schema: { summary: 'Delete a secret', tags, params: SecretPath, response: { 204: Type.Null() } } },
    async ({ params }, reply) => {
      const app = await readApp(db, params.app)
      if (!(await deleteSecret(db, app.id, params.name))) {
        throw SECRET_NOT_FOUND(app.name, params.name)
      }
      return reply.code(204).send(null)
    },
  )
}

export function secretDocument({ name, revision, updatedAt }: SecretRecord): SecretDocument {
  return { name, revision, updated_at: timeText(updatedAt) }
}
