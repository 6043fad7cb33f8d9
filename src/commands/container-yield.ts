import { type Refused, startContainer, stopContainer } from '#programs/docker-containers.ts'
import { setRestart } from '#programs/docker-restart.ts'
import type { Hands } from './command.ts'

/** Stops a container that has to make room: an engine that is restarted meanwhile must not start it beside the new one. */
export async function yieldPlace({ perform, host }: Hands, id: string): Promise<void> {
  await perform(setRestart(host.dockerSocket, id, 'no'))
  await perform(stopContainer(host.dockerSocket, id))
}

/** Starts one that had to make room, as it was before; undefined when it runs. */
export async function takePlaceBack({ perform, host }: Hands, id: string): Promise<Refused | undefined> {
  await perform(setRestart(host.dockerSocket, id, 'always'))
  return await perform(startContainer(host.dockerSocket, id))
}
