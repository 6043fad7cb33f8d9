import { type Static, Type } from 'typebox'
import { defineCommand } from './command.ts'
import { ComposeContainer, ProjectName, Remade, RenderHash, ServiceName } from './compose-data.ts'
import { COMPOSE_NOT_AS_PLANNED } from './compose-errors.ts'
import { describeContainers, projectContainers } from './compose-observe.ts'

const strict = { additionalProperties: false } as const

const VerifyData = Type.Object(
  {
    project: ProjectName,
    /** Every service and the configuration that its containers must have. */
    services: Type.Record(ServiceName, RenderHash),
    /** Those that must run now; the others may have ended with 0. */
    mustRun: Type.Array(ServiceName, { maxItems: 1000 }),
    /** Services whose old containers may still stand by, and names of services that are no longer wanted but still serve. */
    replaced: Type.Array(ServiceName, { maxItems: 1000 }),
    remade: Remade,
  },
  strict,
)

export const composeVerify = defineCommand({
  name: 'compose.verify',
  summary: 'Fails unless exactly the planned services run, healthy, from the planned configuration.',
  role: 'worker',
  looksOnly: true,
  data: VerifyData,
  result: Type.Object(
    {
      containers: Type.Array(ComposeContainer),
      /** Services whose image no registry can be asked for: only its name on this host says what runs. */
      unpinned: Type.Array(Type.String()),
    },
    strict,
  ),
  deadlineMs: 60_000,
  async run(hands, data) {
    const found = await describeContainers(hands, await projectContainers(hands, data.project))
    const containers = found.filter(each => !standsBy(data, each))
    const wrong = firstDeviation(data, containers)
    if (wrong) {
      throw COMPOSE_NOT_AS_PLANNED(wrong.service, wrong.what)
    }
    const unpinned = containers.filter(each => each.digest === undefined).map(each => each.service)
    return { containers, unpinned: [...new Set(unpinned)] }
  },
})

/** Of the release before: it is there for the way back. */
function standsBy(
  { services, replaced, remade = [] }: Static<typeof VerifyData>,
  container: ComposeContainer,
): boolean {
  const isWanted =
    container.configHash === services[container.service] &&
    hasCurrentImage(container) &&
    !remade.includes(container.id)
  return replaced.includes(container.service) && !isWanted
}

function hasCurrentImage({ currentImageId, imageId }: ComposeContainer): boolean {
  return currentImageId === undefined || currentImageId === imageId
}

/** What of the containers is not as planned; undefined when all is. */
export function firstDeviation(
  { services, mustRun }: Pick<Static<typeof VerifyData>, 'services' | 'mustRun'>,
  containers: readonly ComposeContainer[],
): { readonly service: string; readonly what: string } | undefined {
  for (const container of containers) {
    const what = deviation(container, services[container.service], mustRun)
    if (what !== undefined) {
      return { service: container.service, what }
    }
  }
  const missing = Object.keys(services).find(name => !containers.some(each => each.service === name))
  return missing === undefined ? undefined : { service: missing, what: 'it has no container' }
}

function deviation(
  container: ComposeContainer,
  wanted: string | undefined,
  mustRun: readonly string[],
): string | undefined {
  if (wanted === undefined) {
    return 'nobody planned it'
  }
  if (container.configHash !== wanted) {
    return 'its container was made from another configuration'
  }
  if (!hasCurrentImage(container)) {
    return `its image is no longer what "${container.image}" means on this host`
  }
  const mayComplete = !mustRun.includes(container.service)
  const completed = mayComplete && container.state === 'exited' && container.exitCode === 0
  if (container.state !== 'running' && !completed) {
    return `its container is ${container.state} (exit code ${container.exitCode})`
  }
  const healthy = container.health === 'none' || container.health === 'healthy' || completed
  return healthy ? undefined : `its health is "${container.health}"`
}
