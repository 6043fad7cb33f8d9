import { MemberChangeDocument, MemberList, MemberPath } from '#contract/rest/system-members.ts'
import { isAdmin } from '#manager/people/roles.ts'
import { requestMemberChange } from '#manager/systems/member-changes.ts'
import { changeDocument, listMembers } from '#manager/systems/members.ts'
import { speakerOf } from './authenticate.ts'
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
        const wish = { ...request.params, action, by: speakerOf(request).name }
        return reply.code(202).send(changeDocument(await requestMemberChange(parts, wish)))
      },
    )
  }
}
