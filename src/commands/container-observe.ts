import { type Static, Type } from 'typebox'
import type { ContainerFacts } from '#programs/docker-containers.ts'
import { type ImageFacts, inspectImage } from '#programs/docker-images.ts'
import { defineCommand, type Hands } from './command.ts'
import { AppName, ASLEEP, HealthData, LABEL, ObservedContainer } from './container-data.ts'
import { isKept } from './container-earlier.ts'
import { isReadyNow } from './container-health.ts'
import { containersOf } from './container-siblings.ts'
import { isAsleep } from './container-sleep.ts'
import { reachOf } from './engine-reach.ts'

const strict = { additionalProperties: false } as const

const Observed = Type.Object({ containers: Type.Array(ObservedContainer) }, strict)

const ObserveData = Type.Object(
  {
    app: AppName,
    /** With it, a container that the engine still calls "starting" is asked whether it is ready. */
    health: Type.Optional(HealthData),
    port: Type.Optional(Type.Integer({ minimum: 1, maximum: 65_535 })),
  },
  strict,
)

export const containerObserve = defineCommand({
  name: 'container.observe',
  summary: 'Tells which containers an app has on this host, how they are, and which one serves.',
  role: 'worker',
  looksOnly: true,
  data: ObserveData,
  result: Observed,
  deadlineMs: 60_000,
  run: observe,
})

/** Every container of an app with what matters of it, newest first. */
export async function observe(
  hands: Hands,
  { app, health, port }: Static<typeof ObserveData>,
): Promise<Static<typeof Observed>> {
  // What was only kept for who worked with it is no part of what is wanted.
  const found = (await containersOf(hands, app)).filter(each => !isKept(hands, app, each))
  const imageIds = [...new Set(found.map(each => each.imageId))]
  const images = await Promise.all(
    imageIds.map(id => hands.perform(inspectImage(hands.host.dockerSocket, id))),
  )
  const current = hands.host.switchboard.current(app)?.deployment
  const network = hands.host.network.name
  const containers = await Promise.all(
    found.map(async facts => {
      const image = images.find(each => each?.id === facts.imageId)
      const seen = observed(isAsleep(hands, facts) ? { ...facts, state: ASLEEP } : facts, {
        image,
        current,
        network,
      })
      if (!health || seen.state !== 'running' || seen.health !== 'starting') {
        return seen
      }
      const at = port === undefined ? undefined : await reachOf(hands, { name: app, ip: seen.ip, port })
      const goal = { app, id: seen.id, at, port, health, test: image?.healthTest }
      return (await isReadyNow(hands, goal)) ? { ...seen, health: 'healthy' as const } : seen
    }),
  )
  return { containers }
}

interface Around {
  readonly image: ImageFacts | undefined
  readonly current: string | undefined
  readonly network: string
}

function observed(facts: ContainerFacts, { image, current, network }: Around): ObservedContainer {
  const deployment = facts.labels[LABEL.deployment] ?? ''
  const digest = image?.digests[0]
  return {
    id: facts.id,
    name: facts.name,
    deployment,
    commit: facts.labels[LABEL.commit] ?? '',
    configHash: facts.labels[LABEL.config] ?? '',
    state: facts.state,
    health: facts.health,
    exitCode: facts.exitCode,
    restarts: facts.restarts,
    image: facts.image,
    imageId: facts.imageId,
    ...(digest ? { digest } : {}),
    ip: facts.addresses[network] ?? '',
    startedAt: facts.startedAt,
    ...(facts.ownVolumes ? { ownVolumes: true } : {}),
    // A visitor wakes it.
    serving: (facts.state === 'running' || facts.state === ASLEEP) && deployment === current,
  }
}
