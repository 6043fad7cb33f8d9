import { canonicalJson } from '#lib/canonical-json.ts'
import type { FairleadError } from '#lib/errors.ts'
import { createThing, NAMESPACE_LABEL } from '#programs/docker-swarm.ts'
import { stackDeploy } from '#programs/stack-deploy.ts'
import type { Hands } from './command.ts'
import { OWN_KEY } from './compose-model.ts'
import { LABEL } from './container-data.ts'
import { openFingerprints } from './host-key.ts'
import { engineCredential, type RegistryData } from './image-data.ts'
import { convergeStack } from './swarm-converge.ts'
import type { SwarmServiceData } from './swarm-data.ts'
import { SWARM_BROKE_OFF, SWARM_FILE_REFUSED, SWARM_PORT_TAKEN, SWARM_REFUSED } from './swarm-errors.ts'
import { fileOf, type StackModel, wishesOf } from './swarm-model.ts'
import { ownServices, swarmNodes } from './swarm-reach.ts'
import { describeSeen, seeServices } from './swarm-seen.ts'

export interface StackUp {
  readonly app: string
  readonly stack: string
  readonly model: StackModel
  readonly hash: string
  readonly withinMs: number
  readonly registries: readonly RegistryData[]
}

/** Makes the swarm's stack equal to a rendered one, and waits until it is. */
export async function bringStackUp(hands: Hands, wish: StackUp): Promise<SwarmServiceData[]> {
  const { app, stack, model, hash, withinMs, registries } = wish
  const { dockerSocket, dockerHome } = hands.host
  const before = await seeServices(hands, stack, await ownServices(hands, wish))
  await makeContents(hands, wish)
  const refused = await hands.perform(
    stackDeploy({
      name: stack,
      home: dockerHome,
      socket: dockerSocket,
      text: canonicalJson(fileOf(model)),
      hash,
      credentials: registries.flatMap(each => engineCredential(each) ?? []),
    }),
  )
  if (refused !== undefined) {
    throw refusalOf(stack, refused)
  }
  const wishes = wishesOf(model)
  const seen = await convergeStack(hands, {
    ...{ app, stack, withinMs },
    services: wishes.map(each => each.name),
    before: new Set(before.flatMap(each => each.tasks.map(task => task.id))),
  })
  const [nodes, fingerprints] = await Promise.all([swarmNodes(hands), openFingerprints(hands)])
  return seen
    .map(each => describeSeen(each, { stack, nodes, fingerprints }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

function refusalOf(stack: string, refused: string): FairleadError {
  if (
    /Cannot connect to the Docker daemon|error during connect|connection reset|unexpected EOF/.test(refused)
  ) {
    return SWARM_BROKE_OFF(stack, refused)
  }
  return /port '?\d+'? is already in use/.test(refused)
    ? SWARM_PORT_TAKEN(stack, refused)
    : SWARM_REFUSED(stack, refused)
}

async function makeContents(hands: Hands, { app, stack, model }: StackUp): Promise<void> {
  const labels = { [NAMESPACE_LABEL]: stack, [LABEL.app]: app }
  for (const kind of ['secrets', 'configs'] as const) {
    for (const [key, { name, content }] of Object.entries(model[OWN_KEY][kind])) {
      const problem = await hands.perform(
        createThing(hands.host.dockerSocket, kind, { name, labels, content }),
      )
      if (problem) {
        throw SWARM_FILE_REFUSED(`${kind.slice(0, -1)} "${key}"`, problem.refused)
      }
    }
  }
}
