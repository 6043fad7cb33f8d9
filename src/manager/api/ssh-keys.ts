import { Type } from 'typebox'
import { Id, strict } from '#contract/rest/fields.ts'
import {
  NewSshKey,
  QuotaBody,
  QuotaList,
  QuotaPath,
  SshKeyDocument,
  SshKeyList,
  SshKeysQuery,
} from '#contract/rest/systems.ts'
import { isAdmin } from '#manager/people/roles.ts'
import { addKey, removeKey } from '#manager/systems/keys.ts'
import { keysOf, type SshKeyRow } from '#manager/systems/keys-of.ts'
import { listQuotas, quotaIdOf } from '#manager/systems/list-quotas.ts'
import { keeperFor, ownerOf } from '#manager/systems/owners.ts'
import { setQuota } from '#manager/systems/quotas.ts'
import { speakerOf } from './authenticate.ts'
import { timeText } from './documents.ts'
import type { ApiParts } from './parts.ts'
import type { Api } from './shape.ts'

const tags = ['systems']
const KeyPath = Type.Object({ key: Id }, strict)

/** Whose keys are let into system containers, and how much people and hosts may have of them. */
export function sshKeyRoutes(api: Api, parts: ApiParts): void {
  const { db } = parts

  api.get(
    '/ssh-keys',
    {
      schema: {
        summary: 'List your SSH keys, or as an admin those of somebody else',
        tags,
        querystring: SshKeysQuery,
        response: { 200: SshKeyList },
      },
    },
    async request => {
      const owner = await keeperFor(db, speakerOf(request), request.query.owner)
      return { items: (await keysOf(db, owner.id)).map(keyDocument) }
    },
  )

  api.post(
    '/ssh-keys',
    {
      schema: {
        summary: 'Add an SSH key of yours: it is let into all of your systems',
        tags,
        body: NewSshKey,
        response: { 201: SshKeyDocument },
      },
    },
    async (request, reply) => {
      const owner = await keeperFor(db, speakerOf(request), undefined)
      const row = await addKey(parts, owner, request.body.key)
      parts.queue.wake()
      return reply.code(201).send(keyDocument(row))
    },
  )

  api.delete(
    '/ssh-keys/:key',
    {
      schema: {
        summary: 'Remove an SSH key of yours, as an admin of anybody: it is let into no system any more',
        tags,
        params: KeyPath,
        response: { 204: Type.Null() },
      },
    },
    async (request, reply) => {
      const speaker = speakerOf(request)
      const owner = isAdmin(speaker) ? undefined : ownerOf(speaker).id
      await removeKey(parts, { id: request.params.key, owner, by: speaker.name })
      parts.queue.wake()
      return reply.code(204).send(null)
    },
  )

  api.get(
    '/system-quotas',
    {
      schema: {
        summary: 'List how much people and hosts may have of system containers',
        tags,
        response: { 200: QuotaList },
      },
    },
    async request => ({ items: await listQuotas(db, speakerOf(request)) }),
  )

  api.put(
    '/system-quotas/:kind/:name',
    {
      schema: {
        summary: 'Set how much a person or a host may have of system containers',
        description: 'Holds for what is created or grows from now on.',
        tags,
        params: QuotaPath,
        body: QuotaBody,
        response: { 200: QuotaList },
      },
    },
    async ({ params, body }) => {
      await setQuota(db, { kind: params.kind, id: await quotaIdOf(db, params) }, body)
      return { items: [{ ...params, ...body }] }
    },
  )
}

function keyDocument({ id, fingerprint, comment, line, created_at }: SshKeyRow): SshKeyDocument {
  return { id, fingerprint, comment, line, created_at: timeText(created_at) }
}
