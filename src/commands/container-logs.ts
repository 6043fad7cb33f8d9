import { Type } from 'typebox'
import { AS_LONG_AS_COMMAND_MS } from '#exec/call.ts'
import { containerLog } from '#programs/docker-containers.ts'
import { defineCommand, type Hands } from './command.ts'
import { AppName } from './container-data.ts'
import { CONTAINER_NOT_FOUND } from './container-errors.ts'
import { containersOf } from './container-siblings.ts'

const strict = { additionalProperties: false } as const

const LogsData = Type.Object(
  {
    app: AppName,
    /** Id or name; default: the container that serves, else the newest. */
    container: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$' })),
    tail: Type.Integer({ minimum: 0, maximum: 100_000 }),
    /** Stay and show new lines until cancelled, or until the container ends. */
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
    const { id, name } = await chooseContainer(hands, app, container)
    let lines = 0
    await hands.perform(
      containerLog(hands.host.dockerSocket, {
        id,
        tail,
        follow,
        timeoutMs: follow ? AS_LONG_AS_COMMAND_MS : 60_000,
        onLine: (text, stream) => {
          lines += 1
          hands.say(text, stream)
        },
      }),
    )
    return { container: name, lines }
  },
})

/** Only containers of the app: a name given by somebody else's is not found. */
async function chooseContainer(hands: Hands, app: string, wanted: string | undefined) {
  const found = await containersOf(hands, app)
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
