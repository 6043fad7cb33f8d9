import { Type } from 'typebox'
import { AS_LONG_AS_COMMAND_MS } from '#exec/call.ts'
import type { ContainerFacts } from '#programs/docker-containers.ts'
import { defineCommand, type Hands } from './command.ts'
import { AppName } from './container-data.ts'
import { CONTAINER_NOT_FOUND } from './container-errors.ts'
import { containersOf } from './container-siblings.ts'
import { withoutToken } from './container-token.ts'
import { hasStarted, showLogs } from './show-logs.ts'

const strict = { additionalProperties: false } as const

const LogsData = Type.Object(
  {
    app: AppName,
    /** Id or name; default: the container that serves, else the newest, and those that follow it. */
    container: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$' })),
    tail: Type.Integer({ minimum: 0, maximum: 100_000 }),
    /** Stay and show new lines until cancelled, or until nothing of it runs any more. */
    follow: Type.Boolean(),
  },
  strict,
)

export const containerLogs = defineCommand({
  name: 'container.logs',
  summary: 'Shows what a container of an app printed, and goes on showing it when asked to.',
  role: 'worker',
  looksOnly: true,
  data: LogsData,
  result: Type.Object({ container: Type.String(), lines: Type.Integer() }, strict),
  deadlineMs: AS_LONG_AS_COMMAND_MS,
  async run(hands, { app, container, tail, follow }) {
    const present = await containersOf(hands, app)
    const chosen = chooseContainer(hands, present, { app, wanted: container })
    const isNewer = (each: ContainerFacts) => hasStarted(each) && each.startedAt > chosen.startedAt
    const lines = await showLogs(hands, {
      // One that a deployment has just started is the next to serve.
      first: container || !follow ? [chosen] : [chosen, ...present.filter(isNewer)],
      present,
      async find() {
        const found = await containersOf(hands, app)
        return container ? found.filter(({ id }) => id === chosen.id) : found
      },
      tail,
      follow,
      longestMs: AS_LONG_AS_COMMAND_MS,
      say: (_, text, stream) => hands.say(withoutToken(text), stream),
    })
    return { container: chosen.name, lines }
  },
})

/** Only containers of the app: a name given by somebody else's is not found. */
function chooseContainer(
  hands: Hands,
  found: readonly ContainerFacts[],
  { app, wanted }: { readonly app: string; readonly wanted: string | undefined },
): ContainerFacts {
  const current = hands.host.switchboard.current(app)?.deployment
  const chosen = wanted
    ? found.find(
        each =>
          each.name === wanted || each.id === wanted || (wanted.length >= 12 && each.id.startsWith(wanted)),
      )
    : (found.find(each => each.labels['io.fairlead.deployment'] === current) ?? found[0])
  if (!chosen) {
    throw CONTAINER_NOT_FOUND(wanted ?? app)
  }
  return chosen
}
