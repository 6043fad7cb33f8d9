import { Type } from 'typebox'
import { ProfileBody, ProfileDocument, ProfileList, ProfilePath } from '#contract/rest/system-profiles.ts'
import { listProfiles, removeProfile, setProfile } from '#manager/systems/profiles.ts'
import type { ApiParts } from './parts.ts'
import type { Api } from './shape.ts'

const tags = ['systems']

/** What systems get at their first start: admins say what there is, people choose. */
export function systemProfileRoutes(api: Api, parts: ApiParts): void {
  api.get(
    '/system-profiles',
    { schema: { summary: 'List profiles of system containers', tags, response: { 200: ProfileList } } },
    async () => ({ items: await listProfiles(parts.db) }),
  )

  api.put(
    '/system-profiles/:profile',
    {
      schema: {
        summary: 'Set what a profile installs',
        description: 'Holds for systems that are made from now on.',
        tags,
        params: ProfilePath,
        body: ProfileBody,
        response: { 200: ProfileDocument },
      },
    },
    async ({ params, body }) => await setProfile(parts, { name: params.profile, packages: body.packages }),
  )

  api.delete(
    '/system-profiles/:profile',
    {
      schema: {
        summary: 'Delete a profile; systems that were made with it keep what they have',
        tags,
        params: ProfilePath,
        response: { 204: Type.Null() },
      },
    },
    async ({ params }, reply) => {
      await removeProfile(parts.db, params.profile)
      return reply.code(204).send(null)
    },
  )
}
