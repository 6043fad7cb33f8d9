import { type Static, Type } from 'typebox'
import { type ContainerFacts, inspectContainer } from '#programs/docker-containers.ts'
import { defineCommand, type Hands } from './command.ts'
import { AppName } from './container-data.ts'
import { howItEnded } from './container-end.ts'
import { CONTAINER_NOT_STEADY } from './container-errors.ts'
import { lastLines } from './container-lines.ts'

const strict = { additionalProperties: false } as const
const PAUSE_MS = 500
export const LONGEST_WATCH_MS = 10 * 60_000

/** As the verify commands saw it; they tell more than is needed here. */
const Watched = Type.Object({
  id: Type.String({ pattern: '^[0-9a-f]{12,64}$' }),
  name: Type.String({ maxLength: 300 }),
  startedAt: Type.String({ maxLength: 64 }),
  restarts: Type.Integer({ minimum: 0 }),
  service: Type.Optional(Type.String({ maxLength: 64 })),
})
type Watched = Static<typeof Watched>

const WatchData = Type.Object(
  {
    app: AppName,
    containers: Type.Array(Watched, { minItems: 1, maxItems: 1_000 }),
    /** Services that may end with 0: then they have done their work. */
    mayComplete: Type.Array(Type.String({ maxLength: 64 }), { maxItems: 1_000 }),
    forMs: Type.Integer({ minimum: 0, maximum: LONGEST_WATCH_MS }),
  },
  strict,
)
type WatchData = Static<typeof WatchData>

export const containerWatch = defineCommand({
  name: 'container.watch',
  summary:
    'Watches containers for a while and fails as soon as one ends, is started again or turns unhealthy.',
  role: 'worker',
  data: WatchData,
  result: Type.Object({ watchedMs: Type.Integer(), containers: Type.Array(Type.String()) }, strict),
  deadlineMs: LONGEST_WATCH_MS + 60_000,
  async run(hands, data) {
    const { containers, forMs } = data
    hands.say(`watching ${containers.map(each => each.name).join(', ')} for ${forMs / 1000} s`, 'info')
    const started = hands.clock.monotonic()
    for (;;) {
      await refuseChanged(hands, data)
      const leftMs = started + forMs - hands.clock.monotonic()
      if (leftMs <= 0) {
        return { watchedMs: forMs, containers: containers.map(each => each.name) }
      }
      await hands.clock.sleep(Math.min(PAUSE_MS, leftMs), hands.signal)
    }
  },
})

async function refuseChanged(hands: Hands, { containers, mayComplete, forMs }: WatchData): Promise<void> {
  const facts = await Promise.all(
    containers.map(each => hands.perform(inspectContainer(hands.host.dockerSocket, each.id))),
  )
  for (const [index, watched] of containers.entries()) {
    const why = whatHappened(watched, facts[index], mayComplete)
    if (why !== undefined) {
      const log = await lastLines(hands, watched.id)
      const { name, service } = watched
      throw CONTAINER_NOT_STEADY(name, forMs / 1000, why).with({
        facts: { container: name, ...(service ? { service } : {}), log },
      })
    }
  }
}

/** Undefined: it is as it was when it was verified. */
function whatHappened(
  watched: Watched,
  facts: ContainerFacts | undefined,
  mayComplete: readonly string[],
): string | undefined {
  if (!facts) {
    return 'somebody removed it'
  }
  if (facts.restarts > watched.restarts || facts.startedAt !== watched.startedAt) {
    return 'it ended and was started again'
  }
  if (facts.state !== 'running') {
    const completed = facts.state === 'exited' && facts.exitCode === 0
    return completed && mayComplete.includes(watched.service ?? '')
      ? undefined
      : `it is ${facts.state}, ${howItEnded(facts)}`
  }
  return facts.health === 'unhealthy' ? (facts.healthLog.at(-1) ?? 'its health check fails') : undefined
}
