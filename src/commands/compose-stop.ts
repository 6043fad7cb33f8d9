import { Type } from 'typebox'
import { composeStop as composeStopCall } from '#programs/compose.ts'
import { setRestart } from '#programs/docker-restart.ts'
import { defineCommand } from './command.ts'
import { explainFailure } from './compose-explain.ts'
import { projectContainers } from './compose-observe.ts'
import { projectsOf } from './compose-projects.ts'
import { AppName } from './container-data.ts'

const strict = { additionalProperties: false } as const

export const composeStop = defineCommand({
  name: 'compose.stop',
  summary:
    "Stops the containers of an app's Compose projects, which stay for what is in them; no restart of the engine starts them.",
  role: 'worker',
  engineFree: true,
  data: Type.Object({ app: AppName }, strict),
  result: Type.Object({ stopped: Type.Array(Type.String()) }, strict),
  deadlineMs: 15 * 60_000,
  lock: data => `compose-app:${data.app}`,
  async run(hands, { app }) {
    const { dockerSocket, dockerHome } = hands.host
    const stopped: string[] = []
    for (const project of await projectsOf(hands, app)) {
      const containers = await projectContainers(hands, project)
      // First, so that an engine that goes away in the middle starts none of them when it comes back.
      await Promise.all(containers.map(({ id }) => hands.perform(setRestart(dockerSocket, id, 'no'))))
      const failure = await hands.perform(
        composeStopCall({ name: project, socket: dockerSocket, home: dockerHome }),
      )
      if (failure) {
        throw await explainFailure(hands, project, failure)
      }
      stopped.push(...containers.map(({ name }) => name))
    }
    hands.say(stopped.length === 0 ? 'there was nothing to stop' : `stopped: ${stopped.join(', ')}`, 'info')
    return { stopped }
  },
})
