import { type Static, Type } from 'typebox'
import { FairleadError } from '#lib/errors.ts'
import { type ContainerFacts, removeContainer, stopContainer } from '#programs/docker-containers.ts'
import { handsForCleanUp } from './clean-up.ts'
import { defineCommand, type Hands } from './command.ts'
import { AppName, DeploymentId, LABEL } from './container-data.ts'
import { keepUsed, markEnded } from './container-earlier.ts'
import { CONTAINER_START_REFUSED } from './container-errors.ts'
import { containersOf } from './container-siblings.ts'
import { maySleep } from './container-sleep.ts'
import { forgetTokens } from './container-token.ts'
import { noteLeftVolumes, removeVolumes } from './container-volumes.ts'
import { takePlaceBack } from './container-yield.ts'
import { drain } from './drain.ts'

const CLEAN_UP_MS = 60_000
const strict = { additionalProperties: false } as const

const RemoveData = Type.Object(
  {
    app: AppName,
    /** Deployments whose containers stay; one of them that was stopped to make room is started again. */
    keep: Type.Array(DeploymentId, { maxItems: 10 }),
    /** remove: the one that serves goes too, because a kept one needs its place. Default: it stays while `keep` names any. */
    serving: Type.Optional(Type.Union([Type.Literal('keep'), Type.Literal('remove')])),
    /** Most time for requests that are still being answered. */
    drainMs: Type.Integer({ minimum: 0, maximum: 600_000 }),
    /** Default: volumes stay. */
    volumes: Type.Optional(Type.Union([Type.Literal('keep'), Type.Literal('delete')])),
  },
  strict,
)
type RemoveData = Static<typeof RemoveData>

const RemoveResult = Type.Object(
  {
    removed: Type.Array(Type.String()),
    restarted: Type.Array(Type.String()),
    volumes: Type.Array(Type.String()),
  },
  strict,
)

export const containerRemove = defineCommand({
  name: 'container.remove',
  summary:
    'Stops and removes the containers of an app, except those of the named deployments and those of before that people still work with.',
  role: 'worker',
  engineFree: true,
  data: RemoveData,
  result: RemoveResult,
  deadlineMs: 1_800_000,
  lock: data => `container:${data.app}`,
  run: remove,
})

async function remove(hands: Hands, data: RemoveData): Promise<Static<typeof RemoveResult>> {
  const found = await containersOf(hands, data.app)
  const isKept = (each: ContainerFacts) => data.keep.includes(each.labels[LABEL.deployment] ?? '')
  const replaced = unwantedOf(hands, data, found)
  const used = data.keep.length === 0 ? [] : await keepUsed(hands, data.app, replaced)
  const unwanted = replaced.filter(each => !used.includes(each))
  try {
    await markEnded(hands, data.app, unwanted, 'ending')
    await drain(hands, unwanted, data.drainMs)
    await Promise.all(unwanted.map(each => stopAndRemove(hands, each)))
    await markEnded(hands, data.app, unwanted, undefined)
    const stay = found
      .filter(each => !unwanted.includes(each))
      .map(each => each.labels[LABEL.deployment] ?? '')
    await forgetTokens(hands, data.app, stay)
  } catch (error) {
    await endNow(hands, unwanted)
    throw error
  }
  if (data.keep.length === 0 && data.volumes !== 'delete') {
    await noteLeftVolumes(hands, data.app)
  }
  // Who visits one that may sleep wakes it: nobody else can give it what it needs to run.
  const stopped = found.filter(each => isKept(each) && each.state !== 'running' && !maySleep(each))
  for (const each of stopped) {
    await startAgain(hands, data.app, each)
  }
  return {
    removed: unwanted.map(each => each.name),
    restarted: stopped.map(each => each.name),
    volumes: data.volumes === 'delete' ? await removeVolumes(hands, data.app) : [],
  }
}

/** Removes nothing when what was to stay is gone: then the unwanted one is all that is left of the app. */
function unwantedOf(
  hands: Hands,
  data: RemoveData,
  found: readonly ContainerFacts[],
): readonly ContainerFacts[] {
  const deploymentOf = (each: ContainerFacts) => each.labels[LABEL.deployment] ?? ''
  if (data.keep.length === 0) {
    return found
  }
  if (!found.some(each => data.keep.includes(deploymentOf(each)))) {
    hands.say('nothing removed: no container of what was to stay is here', 'info')
    return []
  }
  const serving = data.serving === 'remove' ? undefined : hands.host.switchboard.current(data.app)?.deployment
  return found.filter(each => ![...data.keep, serving].includes(deploymentOf(each)))
}

/** The engine sends SIGTERM and waits the grace time that the container was created with. */
async function stopAndRemove(hands: Hands, { id, name }: ContainerFacts): Promise<void> {
  await hands.perform(stopContainer(hands.host.dockerSocket, id))
  await hands.perform(removeContainer(hands.host.dockerSocket, id))
  hands.say(`container ${name} removed`, 'info')
}

/** There is no more time for what may take long to stop, and nobody comes back for it. */
async function endNow(hands: Hands, unwanted: readonly ContainerFacts[]): Promise<void> {
  const { reason } = hands.signal
  if (!hands.signal.aborted || (reason instanceof FairleadError && reason.code === 'COMMAND_INTERRUPTED')) {
    return
  }
  const own = handsForCleanUp(hands, CLEAN_UP_MS)
  await Promise.all(
    unwanted.map(async ({ id, name }) => {
      await own.perform(removeContainer(hands.host.dockerSocket, id))
      hands.say(`container ${name} was killed and removed`, 'info')
    }),
  )
}

async function startAgain(hands: Hands, app: string, each: ContainerFacts): Promise<void> {
  const refusal = await takePlaceBack(hands, each)
  if (refusal) {
    throw CONTAINER_START_REFUSED(app, refusal.refused)
  }
  hands.say(`container ${each.name} started again`, 'info')
}
