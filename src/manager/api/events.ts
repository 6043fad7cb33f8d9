import { EventDocument } from '#contract/rest/events.ts'
import { asFairleadError } from '#lib/errors.ts'
import type { ManagerEvent } from '#manager/deployments/events.ts'
import { rolesOn } from '#manager/people/access.ts'
import type { Speaker } from '#manager/people/tokens.ts'
import { speakerOf } from './authenticate.ts'
import { timeText } from './documents.ts'
import { openStream } from './open-stream.ts'
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
          'Resume with Last-Event-ID; read the state anew when the manager was restarted in between. Who has no role everywhere is told of the apps and repositories that they see.',
        tags: ['operations'],
        produces: ['text/event-stream'],
        response: { 200: EventDocument },
      },
    },
    async (request, reply) => {
      const stream = openStream(parts, request, reply)
      const lastId = headerOf(request, 'last-event-id')
      const after = lastId !== undefined && /^\d{1,16}$/.test(lastId) ? Number(lastId) : undefined
      const send = ({ id, at, kind, fields }: ManagerEvent) =>
        stream.send({ id, event: kind, data: { at: timeText(at), kind, fields } })
      const speaker = speakerOf(request)
      const { close } = parts.events.subscribe(
        after,
        speaker.role === 'admin' ? send : inOrder(parts, speaker, send),
      )
      stream.signal.addEventListener('abort', close)
      return reply
    },
  )
}

/** Sends what the speaker may see, one after the other. */
function inOrder(parts: ApiParts, speaker: Speaker, send: (event: ManagerEvent) => void) {
  let last: Promise<void> = Promise.resolve()
  async function tell(event: ManagerEvent): Promise<void> {
    if (await mayHear(parts, speaker, event)) {
      send(event)
    }
  }
  return (event: ManagerEvent) => {
    last = last
      .then(() => tell(event))
      .catch(error => parts.logger.warn('events.not-told', { message: asFairleadError(error).message }))
  }
}

async function mayHear({ db }: ApiParts, speaker: Speaker, { fields }: ManagerEvent): Promise<boolean> {
  const [kind, name] = fields.app !== undefined ? ['app', fields.app] : ['repository', fields.repository]
  // Of neither: it is for those who have a role everywhere.
  if (name === undefined) {
    return false
  }
  const roles = await rolesOn(db, speaker, kind as 'app' | 'repository', [String(name)])
  const role = roles.get(String(name))
  return speaker.role === null ? (role ?? null) !== null : role !== null
}
