import { toWire } from '#lib/errors.ts'
import { readApp } from '#manager/apps/queries.ts'
import { createUsageWatch } from '#manager/apps/usage.ts'
import { AppPath } from './apps.ts'
import { openStream } from './open-stream.ts'
import type { ApiParts } from './parts.ts'
import type { Api } from './shape.ts'

/** What the containers of an app use. */
export function appUsageRoutes(api: Api, parts: ApiParts): void {
  const usage = createUsageWatch(parts)

  api.get(
    '/apps/:app/usage',
    {
      schema: {
        summary: 'What the app uses of the processor and of memory, as events',
        description:
          'Each event is one look at its running containers, beginning with those of the last ten minutes that somebody saw; an event "problem" tells why there is none now.',
        tags: ['apps'],
        params: AppPath,
        produces: ['text/event-stream'],
      },
    },
    async (request, reply) => {
      const app = await readApp(parts.db, request.params.app)
      const stream = openStream(parts, request, reply)
      usage.watch(app, {
        signal: stream.signal,
        onLook: look => stream.send({ data: look }),
        onProblem: error => stream.send({ event: 'problem', data: { error: toWire(error) } }),
      })
      return reply
    },
  )
}
