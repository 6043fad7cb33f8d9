import { MemberChangeDocument, MemberList, MemberPath } from '#contract/rest/system-members.ts'
import { isAdmin } from '#manager/people/roles.ts'
import { cancelMemberChange, requestMemberChange } from '#manager/systems/member-changes.ts'
import { changeDocument, listMembers } from '#manager/systems/members.ts'
import { speakerOf } from './authenticate.ts'
import { auditLine } from './note-audit.ts'
import type { ApiParts } from './parts.ts'
import type { Api } from './shape.ts'
import { systemsFor } from './shown-systems.ts'

const tags = ['systems']

/** Machines of Incus clusters: which there are, and what is where. */
export function systemMemberRoutes(api: Api, parts: ApiParts): void {
  api.get(
    '/system-members',
    { schema: { summary: 'List members of Incus clusters', tags, response: { 200: MemberList } } },
    async request => {
      const speaker = speakerOf(request)
      const systems = await systemsFor(parts, speaker, undefined)
      return { items: await listMembers(parts, { systems, isWhole: isAdmin(speaker) }) }
    },
  )

  for (const [action, summary] of [
    ['evacuate', 'Empty a member of a cluster for maintenance: its systems are moved to others'],
    ['restore', 'Take an evacuated member into use again: what it had is moved back'],
  ] as const) {
    api.post(
      `/system-members/:host/:member/${action}`,
      {
        schema: {
          summary,
          description: 'Goes on in the background; the list of members has its end.',
          tags,
          params: MemberPath,
          response: { 202: MemberChangeDocument },
        },
      },
      async (request, reply) => {
        const { details: _, ...line } = auditLine(parts, request)
        const by = speakerOf(request).name
        const wish = { ...request.params, action, by, audit: JSON.stringify(line) }
        return reply.code(202).send(changeDocument(await requestMemberChange(parts, wish)))
      },
    )
  }

  api.post(
    '/system-members/:host/:member/cancel',
    {
      schema: {
        summary: 'End what is under way with a member of a cluster',
        description:
          'What was moved by then stays where it is. The list of members has its end, with what was moved and what is left.',
        tags,
        params: MemberPath,
        response: { 202: MemberChangeDocument },
      },
    },
    async (request, reply) => {
      const wish = { ...request.params, by: speakerOf(request).name }
      return reply.code(202).send(changeDocument(await cancelMemberChange(parts.db, wish)))
    },
  )
}
