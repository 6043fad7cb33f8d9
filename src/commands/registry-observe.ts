import { type Static, Type } from 'typebox'
import { defineCommand, type Hands } from './command.ts'
import { AppName, DeploymentId, ObservedContainer } from './container-data.ts'
import { observe } from './container-observe.ts'
import { RegistryData } from './image-data.ts'
import { faultOfRegistry } from './registry-alive.ts'
import { REGISTRY_NOT_SERVING } from './registry-errors.ts'

const strict = { additionalProperties: false } as const

const ObserveData = Type.Object(
  {
    app: AppName,
    access: RegistryData,
    /** Fails unless the container of this deployment runs and answers. */
    must: Type.Optional(Type.Object({ deployment: DeploymentId, configHash: Type.String() }, strict)),
  },
  strict,
)

export const RegistryObserved = Type.Object(
  {
    containers: Type.Array(ObservedContainer),
    /** Why it does not answer as it should; null: it does. */
    fault: Type.Union([Type.String(), Type.Null()]),
  },
  strict,
)
export type RegistryObserved = Static<typeof RegistryObserved>

export const registryObserve = defineCommand({
  name: 'registry.observe',
  summary: 'Tells whether the registry of this host runs and answers, to its account only.',
  role: 'worker',
  looksOnly: true,
  data: ObserveData,
  result: RegistryObserved,
  deadlineMs: 60_000,
  run: look,
})

async function look(
  hands: Hands,
  { app, access, must }: Static<typeof ObserveData>,
): Promise<RegistryObserved> {
  const { containers } = await observe(hands, { app })
  const isRunning = containers.some(({ state }) => state === 'running')
  const fault = isRunning ? ((await faultOfRegistry(hands, access)) ?? null) : 'no container of it runs'
  if (must) {
    const own = containers.find(each => each.deployment === must.deployment)
    const why = own?.configHash === must.configHash ? fault : 'its container is not the one that was planned'
    if (why !== null) {
      throw REGISTRY_NOT_SERVING(app, why)
    }
  }
  return { containers, fault }
}
