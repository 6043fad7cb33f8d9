import { Type } from 'typebox'
import { type ContainerFacts, inspectContainer, listContainers } from '#programs/docker-containers.ts'
import { type ImageFacts, inspectImage } from '#programs/docker-images.ts'
import { defineCommand, type Hands } from './command.ts'
import { ComposeContainer, PROJECT_LABEL, ProjectName } from './compose-data.ts'
import { LABEL } from './container-data.ts'

const strict = { additionalProperties: false } as const

const SERVICE_LABEL = 'com.docker.compose.service'
const ONE_OFF_LABEL = 'com.docker.compose.oneoff=False'

export const composeObserve = defineCommand({
  name: 'compose.observe',
  summary: 'Tells which containers a Compose project has on this host and how they are.',
  role: 'worker',
  looksOnly: true,
  data: Type.Object({ project: ProjectName }, strict),
  result: Type.Object({ containers: Type.Array(ComposeContainer) }, strict),
  deadlineMs: 60_000,
  async run(hands, { project }) {
    return { containers: await describeContainers(hands, await projectContainers(hands, project)) }
  },
})

/** All containers of a project, running or not, by service and name; asked of the engine, a few milliseconds. */
export async function projectContainers(hands: Hands, project: string): Promise<readonly ContainerFacts[]> {
  const { dockerSocket } = hands.host
  const ids = await hands.perform(
    listContainers(dockerSocket, [`${PROJECT_LABEL}=${project}`, ONE_OFF_LABEL]),
  )
  const facts = await Promise.all(ids.map(id => hands.perform(inspectContainer(dockerSocket, id))))
  return facts
    .flatMap(each => each ?? [])
    .toSorted((a, b) => (`${serviceOf(a)} ${a.name}` < `${serviceOf(b)} ${b.name}` ? -1 : 1))
}

export function serviceOf(container: Pick<ContainerFacts, 'labels'>): string {
  return container.labels[SERVICE_LABEL] ?? ''
}

export async function describeContainers(
  hands: Hands,
  containers: readonly ContainerFacts[],
): Promise<ComposeContainer[]> {
  const { dockerSocket, network } = hands.host
  const names = [...new Set(containers.flatMap(each => [each.image, each.imageId]))]
  const found = await Promise.all(
    names.map(async name => [name, await hands.perform(inspectImage(dockerSocket, name))] as const),
  )
  const images = new Map(found)
  return containers.map(facts => describe(facts, { images, network: network.name }))
}

interface Around {
  readonly images: ReadonlyMap<string, ImageFacts | undefined>
  readonly network: string
}

function describe(facts: ContainerFacts, { images, network }: Around): ComposeContainer {
  const current = images.get(facts.image)?.id
  const digest = images.get(facts.imageId)?.digests[0]
  const ip = facts.addresses[network]
  return {
    service: serviceOf(facts),
    id: facts.id,
    name: facts.name,
    state: facts.state,
    health: facts.health,
    exitCode: facts.exitCode,
    restarts: facts.restarts,
    startedAt: facts.startedAt,
    configHash: facts.labels[LABEL.config] ?? '',
    image: facts.image,
    imageId: facts.imageId,
    ownVolumes: facts.ownVolumes,
    hostPorts: [...facts.hostPorts],
    ...(current ? { currentImageId: current } : {}),
    ...(digest ? { digest } : {}),
    ...(ip ? { ip } : {}),
  }
}
