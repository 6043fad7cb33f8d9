import { sql } from 'kysely'
import { LiveDocument, ReadyDocument } from '#contract/rest/health.ts'
import { createUnusableCount } from '#manager/repositories/hook-secrets.ts'
import type { ApiParts } from './parts.ts'
import type { Api } from './shape.ts'

/** Whether the process lives, and whether it can do its work. Without token: load balancers ask. */
export function healthRoutes(api: Api, parts: ApiParts): void {
  const countUnusable = createUnusableCount(parts)

  api.get(
    '/health/live',
    { schema: { summary: 'The process answers', tags: ['operations'], response: { 200: LiveDocument } } },
    async () => ({ ok: true as const }),
  )

  api.route({
    method: ['GET', 'POST'],
    url: '/health',
    schema: {
      summary: 'The same, as the deployer called it',
      tags: ['operations'],
      response: { 200: LiveDocument },
    },
    handler: async () => ({ ok: true as const }),
  })

  api.get(
    '/health/ready',
    {
      schema: {
        summary: 'The manager can take requests',
        tags: ['operations'],
        response: { 200: ReadyDocument, 503: ReadyDocument },
      },
    },
    async (_, reply) => {
      const store = await storeAnswers(parts)
      const hosts = store ? await parts.db.selectFrom('hosts').select('name').execute() : []
      const online = hosts.filter(({ name }) => parts.agents.state(name)?.status === 'connected')
      const answer = {
        ok: store,
        store,
        hosts: { known: hosts.length, online: online.length },
        webhooks: { unusable: store ? await countUnusable() : 0 },
      }
      return reply.code(store ? 200 : 503).send(answer)
    },
  )
}

async function storeAnswers({ db }: ApiParts): Promise<boolean> {
  try {
    await sql`select 1`.execute(db)
    return true
  } catch {
    return false
  }
}
