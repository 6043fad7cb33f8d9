import { EventDocument } from '#contract/rest/events.ts'
import { timeText } from './documents.ts'
import type { ApiParts } from './parts.ts'
import { type Api, headerOf } from './shape.ts'

/** Everything that changes, as it changes. */
export function eventRoutes(api: Api, parts: ApiParts): void {
  api.get(
    '/events',
    {
      schema: {
        summary: 'State changes as events',
        description:
          'Resume with Last-Event-ID; read the state anew when the manager was restarted in between.',
        tags: ['operations'],
        produces: ['text/event-stream'],
        response: { 200: EventDocument },
      },
    },
    async (request, reply) => {
      const stream = parts.streams.open(reply)
      const lastId = headerOf(request, 'last-event-id')
      const after = lastId !== undefined && /^\d{1,16}$/.test(lastId) ? Number(lastId) : undefined
      const { close } = parts.events.subscribe(after, ({ id, at, kind, fields }) =>
        stream.send({ id, event: kind, data: { at: timeText(at), kind, fields } }),
      )
      stream.signal.addEventListener('abort', close)
      return reply
    },
  )
}
