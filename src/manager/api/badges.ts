import { Type } from 'typebox'
import { readBadge } from '#manager/badges/read-badge.ts'
import type { ApiParts } from './parts.ts'
import { sendBadge } from './send-badge.ts'
import type { Api } from './shape.ts'

/** Any text: what cannot be an app looks like one that is private. */
const BadgePath = Type.Object({ app: Type.String() })
const BadgeQuery = Type.Object({
  label: Type.Optional(Type.Unknown({ description: 'The left word; default: build.' })),
})

/** Proxies of Git hosts ask again after so long. */
const FRESH_SECONDS = 60

/** Badges, for whoever can reach the manager. */
export function badgeRoutes(api: Api, parts: ApiParts): void {
  api.get(
    '/badges/:app.svg',
    {
      schema: {
        summary: 'A picture with the newest version of an app',
        description:
          'Shows "unknown" unless the badge of the app is public: PATCH /api/v1/apps/{app} with {"badge": "public"}.',
        tags: ['badges'],
        params: BadgePath,
        querystring: BadgeQuery,
        response: { 200: Type.String({ description: 'image/svg+xml' }), 304: Type.Null() },
      },
    },
    async (request, reply) => {
      const { label } = request.query
      const said = await readBadge(parts.db, request.params.app)
      const badge = { ...said, label: typeof label === 'string' && label !== '' ? label : 'build' }
      return await sendBadge(request, reply, { badge, cacheControl: `public, max-age=${FRESH_SECONDS}` })
    },
  )
}
