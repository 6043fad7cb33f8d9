import { Type } from 'typebox'
import { HostName, strict } from '#contract/rest/fields.ts'
import { FirewallList, GuardianBody } from '#contract/rest/firewall.ts'
import { assignGuardian } from '#manager/firewall/assign-guardian.ts'
import { type FirewallRecord, listFirewalls } from '#manager/firewall/list-firewalls.ts'
import { optionalTime } from './documents.ts'
import type { ApiParts } from './parts.ts'
import type { Api } from './shape.ts'

const HostPath = Type.Object({ host: HostName }, strict)

/** What guardians keep open on hosts. */
export function firewallRoutes(api: Api, parts: ApiParts): void {
  api.get(
    '/firewall',
    {
      schema: {
        summary: 'List the firewalls that guardians keep: what apps want, what is open, and how they differ',
        tags: ['hosts'],
        response: { 200: FirewallList },
      },
    },
    async () => ({ items: (await listFirewalls(parts)).map(documentOf) }),
  )

  api.put(
    '/hosts/:host/guardian',
    {
      schema: {
        summary: 'Assign the guardian that keeps the firewall of a host',
        description:
          'From then on ports of the host that nobody has opened are closed, those that Docker publishes included. With null nobody keeps it any more, and its rules stay as they are.',
        tags: ['hosts'],
        params: HostPath,
        body: GuardianBody,
        response: { 200: FirewallList },
      },
    },
    async ({ params, body }) => {
      await assignGuardian(parts, params.host, body.guardian)
      return { items: (await listFirewalls(parts)).map(documentOf) }
    },
  )
}

function documentOf({ guardian, workers, wanted, seen, problem, isInSync }: FirewallRecord) {
  return {
    ...{ guardian, workers: [...workers], wanted: [...wanted], in_sync: isInSync },
    open: seen?.open ?? null,
    kept: seen?.kept ?? [],
    drift: seen?.drift ?? [],
    repairs: seen?.repairs ?? 0,
    repaired_at: optionalTime(seen?.repairedAt ?? null),
    problem: problem ?? null,
  }
}
