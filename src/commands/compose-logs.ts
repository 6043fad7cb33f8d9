import { Type } from 'typebox'
import type { ContainerFacts } from '#programs/docker-containers.ts'
import { defineCommand, type Hands } from './command.ts'
import { ServiceName } from './compose-data.ts'
import { projectContainers, serviceOf } from './compose-observe.ts'
import { projectsOf } from './compose-projects.ts'
import { AppName } from './container-data.ts'
import { CONTAINER_NOT_FOUND } from './container-errors.ts'
import { showLogs } from './show-logs.ts'

const strict = { additionalProperties: false } as const
const LONGEST_MS = 24 * 3_600_000

export const composeLogs = defineCommand({
  name: 'compose.logs',
  summary: "Shows what the services of an app's Compose project print, each line with its service.",
  role: 'worker',
  looksOnly: true,
  data: Type.Object(
    {
      app: AppName,
      /** Only this one; default: all. */
      service: Type.Optional(ServiceName),
      /** Lines of each container to begin with. */
      tail: Type.Integer({ minimum: 0, maximum: 100_000 }),
      /** Stay and show new lines until cancelled, or until nothing of it runs any more. */
      follow: Type.Boolean(),
    },
    strict,
  ),
  result: Type.Object({ containers: Type.Array(Type.String()), lines: Type.Integer() }, strict),
  deadlineMs: LONGEST_MS,
  async run(hands, { app, service, tail, follow }) {
    const find = () => containersOf(hands, app, service)
    const containers = await find()
    if (containers.length === 0) {
      throw CONTAINER_NOT_FOUND(service === undefined ? app : `${app}/${service}`)
    }
    const lines = await showLogs(hands, {
      first: containers,
      present: containers,
      find,
      tail,
      follow,
      longestMs: LONGEST_MS,
      say: (container, text, stream) =>
        hands.say(service === undefined ? `${serviceOf(container)} | ${text}` : text, stream),
    })
    return { containers: containers.map(each => each.name), lines }
  },
})

/** Found by labels, whatever they are called; never those of another app. */
async function containersOf(
  hands: Hands,
  app: string,
  service: string | undefined,
): Promise<readonly ContainerFacts[]> {
  const projects = await projectsOf(hands, app)
  const all = (await Promise.all(projects.map(project => projectContainers(hands, project)))).flat()
  return all.filter(each => service === undefined || serviceOf(each) === service)
}
