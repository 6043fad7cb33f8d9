import {
  type ContainerFacts,
  type Refused,
  startContainer,
  stopContainer,
} from '#programs/docker-containers.ts'
import { setRestart } from '#programs/docker-restart.ts'
import type { Hands } from './command.ts'
import { refuseForbiddenContainer } from './container-policy.ts'

/** Stops a container that has to make room: an engine that is restarted meanwhile must not start it beside the new one. */
export async function yieldPlace({ perform, host }: Hands, id: string): Promise<void> {
  await perform(setRestart(host.dockerSocket, id, 'no'))
  await perform(stopContainer(host.dockerSocket, id))
}

/** Starts one that had to make room, as it was before; undefined when it runs. Throws what the host forbids of it by now. */
export async function takePlaceBack(hands: Hands, each: ContainerFacts): Promise<Refused | undefined> {
  const { perform, host } = hands
  await refuseForbiddenContainer(hands, each)
  await perform(setRestart(host.dockerSocket, each.id, 'always'))
  return await perform(startContainer(host.dockerSocket, each.id))
}
