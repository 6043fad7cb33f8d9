import { Type } from 'typebox'
import { ServiceName } from '#commands/compose-data.ts'
import { COMMANDS } from '#commands/index.ts'
import { strict } from '#contract/rest/fields.ts'
import { background } from '#lib/background.ts'
import { asFairleadError, toWire } from '#lib/errors.ts'
import { newId } from '#lib/id.ts'
import { type AppRecord, readApp } from '#manager/apps/queries.ts'
import { engineOf } from '#manager/pipeline/choose-engine.ts'
import { targetNamed } from '#targets/index.ts'
import { AppPath } from './apps.ts'
import { timeText } from './documents.ts'
import { LOGS_NOT_AVAILABLE, NO_SERVICES } from './errors.ts'
import { openStream } from './open-stream.ts'
import type { ApiParts } from './parts.ts'
import type { Api } from './shape.ts'
import type { EventStream } from './streams.ts'

const LogsQuery = Type.Object(
  {
    tail: Type.Optional(Type.Integer({ minimum: 0, maximum: 10_000, default: 200 })),
    follow: Type.Optional(Type.Boolean({ default: true })),
    service: Type.Optional({ ...ServiceName, description: 'Only this service of a Compose app.' }),
  },
  strict,
)
const FOLLOW_MS = 24 * 3_600_000

/** What the containers of an app print. */
export function appLogRoutes(api: Api, parts: ApiParts): void {
  api.get(
    '/apps/:app/logs',
    {
      schema: {
        summary: 'What the app prints, as events',
        description: 'Each event is one line; an event "end" tells why there are no more.',
        tags: ['apps'],
        params: AppPath,
        querystring: LogsQuery,
        produces: ['text/event-stream'],
      },
    },
    async (request, reply) => {
      const { params, query, id } = request
      const { tail = 200, follow = true, service } = query
      const app = await readApp(parts.db, params.app)
      const command = logsCommandOf(app, service)
      const stream = openStream(parts, request, reply)
      const shown = show(parts, { app, command, tail, follow, service, stream })
      background(shown, error =>
        parts.logger.warn('api.stream-broken', { request: id, message: error.message }),
      )
      return reply
    },
  )
}

interface Wanted {
  readonly app: AppRecord
  readonly command: string
  readonly tail: number
  readonly follow: boolean
  readonly service: string | undefined
  readonly stream: EventStream
}

async function show(parts: ApiParts, { app, command, tail, follow, service, stream }: Wanted): Promise<void> {
  try {
    await parts.agents.tell(app.host, {
      id: newId(),
      command,
      engine: engineOf(app),
      params: { app: app.name, tail, follow, ...(service === undefined ? {} : { service }) },
      deadlineMs: FOLLOW_MS,
      signal: stream.signal,
      onLines: async (lines, dropped) => {
        if (dropped > 0) {
          stream.send({
            data: { at: timeText(parts.clock.now()), stream: 'info', text: `… ${dropped} lines left out …` },
          })
        }
        for (const { at, stream: from, text } of lines) {
          stream.send({ data: { at: timeText(at), stream: from, text } })
        }
        await stream.drained()
      },
    })
    stream.send({ event: 'end', data: {} })
  } catch (error) {
    if (!stream.signal.aborted) {
      stream.send({ event: 'end', data: { error: toWire(asFairleadError(error)) } })
    }
  }
  stream.end()
}

function logsCommandOf(app: AppRecord, service: string | undefined): string {
  const command = COMMANDS.find(
    ({ name }) => name === (targetNamed(app.target)?.logs ?? `${app.target}.logs`),
  )
  if (!command) {
    throw LOGS_NOT_AVAILABLE(app.name, app.target)
  }
  if (service !== undefined && !('service' in command.data.properties)) {
    throw NO_SERVICES(app.name)
  }
  return command.name
}
