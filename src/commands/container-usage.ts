import { type Static, Type } from 'typebox'
import { listRunning, containerUsage as usageOf } from '#programs/container-usage.ts'
import { NAMESPACE_LABEL } from '#programs/docker-swarm.ts'
import { defineCommand, type Hands } from './command.ts'
import { AppName, LABEL } from './container-data.ts'
import { inTurns } from './in-turns.ts'
import { stacksOf } from './swarm-reach.ts'

const strict = { additionalProperties: false } as const
/** So many are told of: an app of more is no longer looked at container by container. */
const MOST = 200

const Used = Type.Object(
  {
    id: Type.String(),
    name: Type.String(),
    /** When the engine read it, ms since 1970 by its own clock. */
    readAt: Type.Integer(),
    /** Of one processor, since the container was started. */
    processorNanoseconds: Type.Number(),
    memoryBytes: Type.Number(),
    /** Its limit, or all that the machine has. */
    memoryLimitBytes: Type.Number(),
  },
  strict,
)

const Usage = Type.Object(
  {
    containers: Type.Array(Used, { maxItems: MOST }),
    /** How many more run. */
    left: Type.Integer(),
  },
  strict,
)
export type Usage = Static<typeof Usage>

export const containerUsage = defineCommand({
  name: 'container.usage',
  summary: 'Tells what the running containers of an app use of the processor and of memory.',
  role: 'worker',
  looksOnly: true,
  data: Type.Object({ app: AppName }, strict),
  result: Usage,
  deadlineMs: 30_000,
  async run(hands, { app }) {
    const { dockerSocket } = hands.host
    const ids = await runningOf(hands, app)
    const found = await inTurns(ids.slice(0, MOST), id => hands.perform(usageOf(dockerSocket, id)))
    return {
      containers: found.flatMap(each => each ?? []).toSorted((a, b) => (a.name < b.name ? -1 : 1)),
      left: Math.max(0, ids.length - MOST),
    }
  },
})

/** Of a stack in a swarm only those on this node: what the others use, only they could say. */
async function runningOf(hands: Hands, app: string): Promise<readonly string[]> {
  const { dockerSocket } = hands.host
  // With the second label a deployment made it; the first alone is inherited by whatever is run from the app's image.
  const own = await hands.perform(listRunning(dockerSocket, [`${LABEL.app}=${app}`, LABEL.config]))
  if (own.length > 0) {
    return own
  }
  const stacks = await stacksOf(hands, dockerSocket, app)
  const tasks = await Promise.all(
    stacks.map(stack => hands.perform(listRunning(dockerSocket, [`${NAMESPACE_LABEL}=${stack}`]))),
  )
  return tasks.flat()
}
