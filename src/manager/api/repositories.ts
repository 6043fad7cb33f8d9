import { Type } from 'typebox'
import { Name, strict } from '#contract/rest/fields.ts'
import {
  NewRepository,
  RepositoriesQuery,
  RepositoryChange,
  RepositoryCheckDocument,
  RepositoryDocument,
  RepositoryPage,
  WebhookSecretBody,
  WebhookSecretDocument,
} from '#contract/rest/repositories.ts'
import { isAdmin } from '#manager/people/roles.ts'
import { checkRepository } from '#manager/repositories/check-repository.ts'
import { createRepository } from '#manager/repositories/create-repository.ts'
import { deleteRepository } from '#manager/repositories/delete-repository.ts'
import { openHookSecrets } from '#manager/repositories/hook-secrets.ts'
import { listRepositories, type RepositoryRecord, readRepository } from '#manager/repositories/queries.ts'
import { updateRepository } from '#manager/repositories/update-repository.ts'
import { rotateWebhookSecret } from '#manager/repositories/webhook-secret.ts'
import { speakerOf } from './authenticate.ts'
import { repositoryDocument, webhookDocument } from './documents.ts'
import { PAGE_SIZE, pageOf } from './page.ts'
import type { ApiParts } from './parts.ts'
import type { Api } from './shape.ts'
import { wantedVersion, withVersion } from './version.ts'
import { visibleNames } from './visible-names.ts'

const RepositoryPath = Type.Object({ repository: Name }, strict)
const tags = ['repositories']

/** Repositories: Git remotes with their credentials and webhooks. */
export function repositoryRoutes(api: Api, parts: ApiParts): void {
  const { db, config, sealer, clock } = parts
  const shown = (record: RepositoryRecord) => repositoryDocument(record, webhookOf(record))

  function webhookOf({ hook }: RepositoryRecord) {
    if (!hook) {
      return null
    }
    const { problem } = openHookSecrets(sealer, hook, clock.now())
    return webhookDocument(hook, { url: `${config.publicUrl}/hooks/${hook.id}`, problem })
  }

  api.get(
    '/repositories',
    {
      schema: {
        summary: 'List repositories by name',
        tags,
        querystring: RepositoriesQuery,
        response: { 200: RepositoryPage },
      },
    },
    async request => {
      const { limit = PAGE_SIZE, cursor } = request.query
      const only = await visibleNames(parts, request)
      const found = await listRepositories(db, { limit: limit + 1, after: cursor, only })
      const page = pageOf(found, limit, repository => repository.name)
      return { ...page, items: page.items.map(shown) }
    },
  )

  api.post(
    '/repositories',
    {
      schema: {
        summary: 'Add a repository',
        tags,
        body: NewRepository,
        response: { 201: RepositoryDocument },
      },
    },
    async ({ body }, reply) => {
      const repository = await createRepository(parts, body)
      withVersion(reply, repository.version)
      return reply
        .code(201)
        .header('location', `/api/v1/repositories/${repository.name}`)
        .send(shown(repository))
    },
  )

  api.get(
    '/repositories/:repository',
    {
      schema: {
        summary: 'Read a repository',
        tags,
        params: RepositoryPath,
        response: { 200: RepositoryDocument },
      },
    },
    async ({ params }, reply) => {
      const repository = await readRepository(db, params.repository)
      withVersion(reply, repository.version)
      return shown(repository)
    },
  )

  api.patch(
    '/repositories/:repository',
    {
      schema: {
        summary: 'Change a repository',
        tags,
        params: RepositoryPath,
        body: RepositoryChange,
        response: { 200: RepositoryDocument },
      },
    },
    async (request, reply) => {
      const { params, body } = request
      const mayLend = isAdmin(speakerOf(request))
      const wanted = { name: params.repository, change: body, version: wantedVersion(request), mayLend }
      const repository = await updateRepository(parts, wanted)
      withVersion(reply, repository.version)
      return shown(repository)
    },
  )

  api.delete(
    '/repositories/:repository',
    {
      schema: {
        summary: 'Delete a repository without apps',
        tags,
        params: RepositoryPath,
        response: { 204: Type.Null() },
      },
    },
    async (request, reply) => {
      await deleteRepository(parts, { name: request.params.repository, version: wantedVersion(request) })
      return reply.code(204).send(null)
    },
  )

  api.post(
    '/repositories/:repository/check',
    {
      schema: {
        summary: 'Read it now, and say which apps it describes',
        tags,
        params: RepositoryPath,
        response: { 200: RepositoryCheckDocument },
      },
    },
    async ({ params }) => {
      const repository = await readRepository(db, params.repository)
      const { source, apps, problems } = await checkRepository(parts, repository)
      if (repository.problem !== null) {
        parts.poller.look(repository.id)
      }
      return {
        commit: source.commit,
        commit_subject: source.subject,
        apps: apps.map(({ name, target, settings }) => ({ name, target, settings: { ...settings } })),
        ...(problems.length > 0 ? { problems: [...problems] } : {}),
      }
    },
  )

  api.post(
    '/repositories/:repository/webhook-secret',
    {
      schema: {
        summary: 'Make its webhook, or give that a new secret',
        description: 'The secret is in this answer only. The secret before stays valid for a while.',
        tags,
        params: RepositoryPath,
        body: WebhookSecretBody,
        response: { 200: WebhookSecretDocument },
      },
    },
    async ({ params, body }) => {
      const { repository, gitHost, secret } = await rotateWebhookSecret(parts, params.repository, body)
      const { webhook } = shown(repository)
      return { ...(webhook as NonNullable<typeof webhook>), secret, setup: [...gitHost.setup] }
    },
  )
}
