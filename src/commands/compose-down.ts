import { Type } from 'typebox'
import { composeDown as composeDownCall } from '#programs/compose.ts'
import { listVolumes, removeVolume } from '#programs/docker-volumes.ts'
import { defineCommand, type Hands } from './command.ts'
import { ProjectName } from './compose-data.ts'
import { explainFailure } from './compose-explain.ts'
import { projectsOf } from './compose-projects.ts'
import { forgetProject, readOwner } from './compose-store.ts'
import { AppName } from './container-data.ts'
import { noteKeptVolumes } from './kept-volumes.ts'
import { routeRemove } from './route.ts'

const strict = { additionalProperties: false } as const

const Volumes = Type.Union([Type.Literal('keep'), Type.Literal('delete')])

export const composeDown = defineCommand({
  name: 'compose.down',
  summary:
    "Takes an app's Compose projects down: routes, containers, networks, rendered files; volumes only when asked.",
  role: 'worker',
  engineFree: true,
  data: Type.Object(
    {
      app: AppName,
      volumes: Volumes,
      /** Only this one, for an app that was given another project name; its routes lead to the new one already. */
      project: Type.Optional(ProjectName),
      /** The app has moved to another engine: its routes lead there, and its files are needed on. */
      moved: Type.Optional(Type.Literal(true)),
    },
    strict,
  ),
  result: Type.Object({ projects: Type.Array(ProjectName) }, strict),
  deadlineMs: 15 * 60_000,
  lock: data => `compose-app:${data.app}`,
  async run(hands, { app, volumes, project: only, moved = false }) {
    const projects = (await projectsOf(hands, app)).filter(project => only === undefined || project === only)
    for (const project of projects) {
      if (only === undefined && !moved) {
        await removeRoutes(hands, project)
      }
      await takeDown(hands, project, volumes)
      await noteKeptVolumes(hands, { app, shelf: project, label: `com.docker.compose.project=${project}` })
      if (!moved) {
        await forgetProject(hands, project)
      }
    }
    return { projects }
  },
})

/** Ends and removes the containers and networks of a project, found by their labels. */
export async function takeDown(hands: Hands, project: string, volumes: 'keep' | 'delete'): Promise<void> {
  const { dockerSocket, dockerHome } = hands.host
  const failure = await hands.perform(
    composeDownCall({ name: project, socket: dockerSocket, home: dockerHome, volumes }),
  )
  if (failure) {
    throw await explainFailure(hands, project, failure)
  }
  if (volumes === 'delete') {
    const left = await hands.perform(listVolumes(dockerSocket, [`com.docker.compose.project=${project}`]))
    await Promise.all(left.map(name => hands.perform(removeVolume(dockerSocket, name))))
  }
}

async function removeRoutes(hands: Hands, project: string): Promise<void> {
  if (!hands.host.proxy) {
    return
  }
  for (const name of (await readOwner(hands, project))?.routes ?? []) {
    await routeRemove.run(hands, { name })
  }
}
