import { Type } from 'typebox'
import { HostName, strict } from '#contract/rest/fields.ts'
import { HostCheckList, ManagerCheckList } from '#contract/rest/host-checks.ts'
import { PruneBody, PruneDocument } from '#contract/rest/host-prune.ts'
import { HostDocument, HostList, ManagerIdentityDocument, NewHost } from '#contract/rest/hosts.ts'
import { warningOf } from '#manager/hosts/certificate-end.ts'
import { checkHost } from '#manager/hosts/check-host.ts'
import { checkManager } from '#manager/hosts/check-manager.ts'
import { guardianAdvice } from '#manager/hosts/guardian-advice.ts'
import { addHost, deleteHost, type HostRecord, listHosts, readHost } from '#manager/hosts/hosts.ts'
import { pruneHost } from '#manager/hosts/prune-host.ts'
import { timeText } from './documents.ts'
import type { ApiParts } from './parts.ts'
import type { Api } from './shape.ts'

const HostPath = Type.Object({ host: HostName }, strict)
const RemovalQuery = Type.Object(
  { revoke: Type.Optional(Type.Boolean({ description: 'Never accept its key again.' })) },
  strict,
)
const tags = ['hosts']

/** Hosts: the machines whose agents the manager dials. */
export function hostRoutes(api: Api, parts: ApiParts): void {
  function shown(host: HostRecord): HostDocument {
    const state = parts.agents.state(host.name)
    return {
      name: host.name,
      role: host.role,
      address: host.address,
      key_id: host.keyId,
      online: state?.status === 'connected',
      facts: state?.status === 'connected' ? (state.agent ?? null) : null,
      problem: state?.status === 'connected' ? null : (state?.lastError?.message ?? null),
      engines: host.engines.map(each => ({ ...each })),
      certificate_ends_at: timeText(host.certificateEndsAt),
      warning: warningOf(host, parts.clock.now()) ?? null,
      guardian: host.guardian,
      advice: guardianAdvice(host) ?? null,
      created_at: timeText(host.createdAt),
    }
  }

  api.get('/hosts', { schema: { summary: 'List hosts', tags, response: { 200: HostList } } }, async () => ({
    items: (await listHosts(parts.db)).map(shown),
  }))

  api.get(
    '/hosts/manager-identity',
    {
      schema: {
        summary: 'What a host must pin before it is added',
        tags,
        response: { 200: ManagerIdentityDocument },
      },
    },
    async () => ({ identity: parts.identity() }),
  )

  api.post(
    '/hosts',
    { schema: { summary: 'Add a host', tags, body: NewHost, response: { 201: HostDocument } } },
    async ({ body }, reply) => reply.code(201).send(shown(await addHost(parts, body))),
  )

  api.get(
    '/hosts/:host/checks',
    {
      schema: {
        summary: 'What is wrong with a host, and how to mend it',
        description:
          'Of a worker Docker, Compose, disks, proxy, clock, and whether its engine can log in at the registry; of a guardian disk and clock.',
        tags,
        params: HostPath,
        response: { 200: HostCheckList },
      },
    },
    async ({ params }) => {
      const { checks, skewMs } = await checkHost(parts, params.host)
      return { items: checks, skew_ms: skewMs }
    },
  )

  api.get(
    '/manager/checks',
    {
      schema: {
        summary: 'What is wrong with the machine of the manager, and how to mend it',
        description: 'Its disk. Of several managers the one answers that leads.',
        tags,
        response: { 200: ManagerCheckList },
      },
    },
    async () => ({ items: await checkManager(parts.config) }),
  )

  api.post(
    '/hosts/:host/prune',
    {
      schema: {
        summary: 'Delete images and build cache of a host that nothing needs, or say what would go',
        description:
          'Never volumes, and never what a container, a release that can be gone back to, an artifact or a deployment at work needs. 409 while deployments are at work on the host.',
        tags,
        params: HostPath,
        body: PruneBody,
        response: { 200: PruneDocument },
      },
    },
    async ({ params, body }) => {
      const { dry_run: dryRun = false, all_unused: allUnused = false, older_than_seconds: seconds } = body
      const olderThanMs = seconds === undefined ? undefined : seconds * 1_000
      const pruned = await pruneHost(parts, params.host, { dryRun, allUnused, olderThanMs })
      return { host: params.host, dry_run: dryRun, ...pruned }
    },
  )

  api.post(
    '/hosts/:host/rekey',
    {
      schema: {
        summary: 'Give a host a new key in place of its own',
        description:
          'Its agent makes it and its old key vouches for it; from then on the old one is never accepted again. Commands at work go on. Answers once the host has connected with it.',
        tags,
        params: HostPath,
        response: { 200: HostDocument },
      },
    },
    async ({ params }) => {
      await parts.agents.rekey(params.host)
      parts.events.publish('host', { name: params.host, state: 'rekeyed' })
      return shown(await readHost(parts.db, params.host))
    },
  )

  api.delete(
    '/hosts/:host',
    {
      schema: {
        summary: 'Forget a host that nothing runs on, or shut one out',
        description:
          'With "revoke" its key is refused from now on, also while apps, repositories or organisations name it: then it stays in the list until they are gone, or until another machine joins under its name.',
        tags,
        params: HostPath,
        querystring: RemovalQuery,
        response: { 204: Type.Null() },
      },
    },
    async ({ params, query }, reply) => {
      await deleteHost(parts, params.host, { revoke: query.revoke ?? false })
      return reply.code(204).send(null)
    },
  )
}
