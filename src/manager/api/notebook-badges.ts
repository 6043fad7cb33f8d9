import { Type } from 'typebox'
import type { Badge } from '#manager/badges/badge.ts'
import { NOTEBOOK_NOT_FOUND } from '#manager/notebooks/errors.ts'
import { readNotebook } from '#manager/notebooks/list-notebooks.ts'
import { movedTo } from '#manager/notebooks/moves.ts'
import { type ServerState, serverState } from '#manager/notebooks/server-state.ts'
import type { ApiParts } from './parts.ts'
import { sendBadge } from './send-badge.ts'
import type { Api } from './shape.ts'

const BadgePath = Type.Object({ notebook: Type.String() })
const BadgeQuery = Type.Object({
  launch: Type.Optional(Type.Unknown({ description: '1: a button for a README, without the state.' })),
})

const LOOKS: Readonly<Record<ServerState, Badge['state']>> = {
  live: 'good',
  starting: 'busy',
  failed: 'bad',
  idle: 'unknown',
}

/** Badges of notebooks, for whoever can reach the manager: the servers of Git hosts fetch them without a token. */
export function notebookBadgeRoutes(api: Api, { db, clock }: ApiParts): void {
  api.get(
    '/badge/:notebook.svg',
    {
      schema: {
        summary: 'A picture that says how a notebook is',
        description: 'live, starting, failed or idle; "unknown" for what there is not. Nothing else is told.',
        tags: ['badges'],
        params: BadgePath,
        querystring: BadgeQuery,
        response: { 200: Type.String({ description: 'image/svg+xml' }), 304: Type.Null() },
      },
    },
    async (request, reply) => {
      const said =
        request.query.launch === '1'
          ? ({ label: 'open', text: 'notebook', state: 'good' } as const)
          : await stateOf(request.params.notebook)
      return await sendBadge(request, reply, { badge: said, cacheControl: 'no-cache' })
    },
  )

  async function stateOf(slug: string): Promise<Badge> {
    try {
      const state = serverState(await readNotebook(db, (await movedTo(db, slug, clock.now())) ?? slug))
      return { label: 'notebook', text: state, state: LOOKS[state] }
    } catch (error) {
      if (NOTEBOOK_NOT_FOUND.matches(error)) {
        return { label: 'notebook', text: 'unknown', state: 'unknown' }
      }
      throw error
    }
  }
}
