import { type Static, Type } from 'typebox'
import { type ContainerFacts, removeContainer, stopContainer } from '#programs/docker-containers.ts'
import { inspectImage } from '#programs/docker-images.ts'
import { defineCommand, type Hands } from './command.ts'
import { ProjectName, Remade, RenderHash, ServiceName } from './compose-data.ts'
import { projectContainers, serviceOf } from './compose-observe.ts'
import { readOwner } from './compose-store.ts'
import { AppName, LABEL } from './container-data.ts'
import { drain } from './drain.ts'

const strict = { additionalProperties: false } as const

export const DrainMs = Type.Integer({ minimum: 0, maximum: 600_000 })

const RetireData = Type.Object(
  {
    app: AppName,
    project: ProjectName,
    /** Every service and the configuration that its containers must have to stay. */
    services: Type.Record(ServiceName, RenderHash),
    /** Most time for requests that are still being answered. */
    drainMs: DrainMs,
    remade: Remade,
  },
  strict,
)
type RetireData = Static<typeof RetireData>

export const composeRetire = defineCommand({
  name: 'compose.retire',
  summary: 'Removes the containers that a verified release has replaced, after requests had time to end.',
  role: 'worker',
  data: RetireData,
  result: Type.Object({ removed: Type.Array(Type.String()) }, strict),
  deadlineMs: 30 * 60_000,
  lock: data => `compose:${data.project}`,
  async run(hands, data) {
    return { removed: await retire(hands, await outdated(hands, data), data) }
  },
})

/** Made from another configuration or image than wanted, and not all that is left of a service. */
async function outdated(
  hands: Hands,
  { project, services, remade = [] }: RetireData,
): Promise<readonly ContainerFacts[]> {
  const containers = await projectContainers(hands, project)
  const images = new Map(
    await Promise.all(
      [...new Set(containers.map(each => each.image))].map(
        async name => [name, (await hands.perform(inspectImage(hands.host.dockerSocket, name)))?.id] as const,
      ),
    ),
  )
  const isWanted = (each: ContainerFacts) =>
    !remade.includes(each.id) &&
    each.labels[LABEL.config] === services[serviceOf(each)] &&
    each.imageId === (images.get(each.image) ?? each.imageId)
  const alive = new Set(containers.filter(each => isWanted(each) && each.state === 'running').map(serviceOf))
  return containers.filter(
    each => !isWanted(each) && (services[serviceOf(each)] === undefined || alive.has(serviceOf(each))),
  )
}

/** Stops and removes containers that serve nobody any more; gives their names. */
export async function retire(
  hands: Hands,
  containers: readonly ContainerFacts[],
  { project, drainMs }: { readonly project: string; readonly drainMs: number },
): Promise<string[]> {
  const { dockerSocket, network, switchboard } = hands.host
  const routes = containers.length > 0 ? ((await readOwner(hands, project))?.routes ?? []) : []
  const serving = new Set(routes.flatMap(name => switchboard.current(name)?.ip ?? []))
  const isServing = (each: ContainerFacts) => serving.has(each.addresses[network.name] ?? '-')
  for (const { name } of containers.filter(isServing)) {
    hands.say(`${name} stays: requests still go to it`, 'info')
  }
  const gone = containers.filter(each => !isServing(each))
  await drain(hands, gone, drainMs)
  await Promise.all(
    gone.map(async ({ id, name }) => {
      await hands.perform(stopContainer(dockerSocket, id))
      await hands.perform(removeContainer(dockerSocket, id))
      hands.say(`container ${name} removed`, 'info')
    }),
  )
  return gone.map(each => each.name)
}
