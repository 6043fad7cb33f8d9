import { Type } from 'typebox'
import { HostName, Name, strict } from '#contract/rest/fields.ts'
import { SecretBody, SecretDocument, SecretList, SecretName } from '#contract/rest/secrets.ts'
import { HOST_NOT_FOUND } from '#manager/agents/errors.ts'
import { repositoryNamed } from '#manager/repositories/queries.ts'
import { SHARED_SECRET_NOT_FOUND } from '#manager/secrets/errors.ts'
import {
  deleteSharedSecret,
  listSharedSecrets,
  type SecretScope,
  setSharedSecret,
} from '#manager/secrets/shared.ts'
import { secretDocument } from './app-secrets.ts'
import type { ApiParts } from './parts.ts'
import type { Api } from './shape.ts'

const tags = ['secrets']

interface Owner {
  /** What is shown in texts. */
  readonly what: 'repository' | 'host'
  readonly path: string
  readonly schema: typeof Name | typeof HostName
  /** Its scope, or an error when there is no such one. */
  readonly scope: (name: string) => Promise<SecretScope>
}

/** Secrets that all apps of a repository, or of a host, may use: written and listed, never read back. */
export function sharedSecretRoutes(api: Api, parts: ApiParts): void {
  const { db } = parts
  const repository: Owner = {
    what: 'repository',
    path: '/repositories/:repository/secrets',
    schema: Name,
    scope: async name => ({ repository_id: (await repositoryNamed(db, name)).id }),
  }
  const host: Owner = {
    what: 'host',
    path: '/hosts/:host/secrets',
    schema: HostName,
    async scope(name) {
      const known = await db.selectFrom('hosts').select('name').where('name', '=', name).executeTakeFirst()
      if (!known) {
        throw HOST_NOT_FOUND(name)
      }
      return { host: name }
    },
  }
  for (const owner of [repository, host]) {
    routesFor(api, parts, owner)
  }
}

function routesFor(api: Api, parts: ApiParts, { what, path, schema, scope }: Owner): void {
  const OwnerPath = Type.Object({ [what]: schema }, strict)
  const SecretPath = Type.Object({ [what]: schema, name: SecretName }, strict)
  const ownerIn = (params: object) => (params as Readonly<Record<string, string>>)[what] ?? ''
  const nameIn = (params: object) => (params as Readonly<Record<string, string>>).name ?? ''

  api.get(
    path,
    {
      schema: {
        summary: `List names of secrets of a ${what}`,
        tags,
        params: OwnerPath,
        response: { 200: SecretList },
      },
    },
    async ({ params }) => ({
      items: (await listSharedSecrets(parts.db, await scope(ownerIn(params)))).map(secretDocument),
    }),
  )

  api.put(
    `${path}/:name`,
    {
      schema: {
        summary: `Set a secret that all apps of a ${what} may use; each takes it with its next deployment`,
        tags,
        params: SecretPath,
        body: SecretBody,
        response: { 200: SecretDocument },
      },
    },
    async ({ params, body }) =>
      secretDocument(
        await setSharedSecret(parts, await scope(ownerIn(params)), {
          name: nameIn(params),
          value: body.value,
        }),
      ),
  )

  api.delete(
    `${path}/:name`,
    {
      schema: {
        summary: `Delete a secret of a ${what}`,
        tags,
        params: SecretPath,
        response: { 204: Type.Null() },
      },
    },
    async ({ params }, reply) => {
      if (!(await deleteSharedSecret(parts.db, await scope(ownerIn(params)), nameIn(params)))) {
        throw SHARED_SECRET_NOT_FOUND(what, ownerIn(params), nameIn(params))
      }
      return reply.code(204).send(null)
    },
  )
}
