import type { Static } from 'typebox'
import { asFairleadError, FairleadError } from '#lib/errors.ts'
import { containerSpec } from '#programs/container-spec.ts'
import {
  type ContainerFacts,
  createContainer,
  removeContainer,
  startContainer,
} from '#programs/docker-containers.ts'
import { type ImageFacts, inspectImage } from '#programs/docker-images.ts'
import { handsForCleanUp } from './clean-up.ts'
import { defineCommand, type Hands } from './command.ts'
import { ContainerStartData, ContainerStartResult, LABEL } from './container-data.ts'
import { keepUsed, removeLeftover } from './container-earlier.ts'
import { CONTAINER_START_REFUSED } from './container-errors.ts'
import { type Ready, waitUntilReady } from './container-health.ts'
import { lastLines } from './container-lines.ts'
import { ensureNetwork } from './container-network.ts'
import { refuseForbiddenImage, refuseForbiddenPorts, refuseOverLimits, sayTo } from './container-policy.ts'
import { explainRefusal } from './container-refusal.ts'
import { containersOf, planPlaces } from './container-siblings.ts'
import { giveTokenAgain, startWithToken, TOKEN_PLACE } from './container-token.ts'
import { proveToken } from './container-token-proof.ts'
import { refuseForeignVolumes, volumeName } from './container-volumes.ts'
import { takePlaceBack, yieldPlace } from './container-yield.ts'
import { mustReach, type Reach, reachOf } from './engine-reach.ts'
import { IMAGE_NOT_FOUND } from './image-errors.ts'

const CLEAN_UP_MS = 120_000
const TOKEN_FOLDER = { path: TOKEN_PLACE.folder, uid: TOKEN_PLACE.uid, bytes: 65_536 }

export const containerStart = defineCommand({
  name: 'container.start',
  summary:
    'Starts a container beside the one that serves and waits until it is healthy; else removes it again.',
  role: 'worker',
  data: ContainerStartData,
  result: ContainerStartResult,
  deadlineMs: 900_000,
  lock: data => `container:${data.app}`,
  run: start,
})

/** Everything known before the first change. */
interface Scene {
  readonly image: ImageFacts
  readonly name: string
  readonly ip: string
  readonly slot: number
  /** Where its port is reached from here; undefined: it has none, or nothing reaches it. */
  readonly at: Reach | undefined
  /** This deployment's own container, from an earlier attempt. */
  readonly present: ContainerFacts | undefined
  /** Of earlier deployments that did not get to serve. */
  readonly leftovers: readonly ContainerFacts[]
  /** Runs now and cannot run beside the new one. */
  readonly mustYield: ContainerFacts | undefined
  readonly yieldReason: string
  /** Volumes that are made with the container. */
  readonly newVolumes: Pick<ContainerStartData, 'app' | 'volumes'>
}

async function start(hands: Hands, data: ContainerStartData): Promise<Static<typeof ContainerStartResult>> {
  refuseForbiddenPorts(hands.host.policy, data.ports, sayTo(hands))
  refuseOverLimits(hands.host.policy, data)
  const scene = await lookAround(hands, data)
  try {
    const id = scene.present?.id ?? (await startBeside(hands, data, scene))
    if (scene.present && data.sandbox?.token) {
      await giveTokenAgain(hands, id, data)
    }
    const ready = await waitUntilReady(hands, {
      app: data.app,
      id,
      at: scene.at,
      port: data.port,
      health: data.health,
      test: scene.image.healthTest,
    })
    const { http: alive, withinMs } = data.health
    if (data.sandbox?.token && alive !== undefined && scene.at) {
      await proveToken(hands, { owner: data, at: scene.at, alive, withinMs })
    }
    return describe(hands, { data, scene, ready })
  } catch (error) {
    throw await leaveNothing(hands, { scene, error })
  }
}

async function lookAround(hands: Hands, data: ContainerStartData): Promise<Scene> {
  const { dockerSocket, switchboard, network } = hands.host
  const [image, found] = await Promise.all([
    hands.perform(inspectImage(dockerSocket, data.image)),
    containersOf(hands, data.app),
    ensureNetwork(hands),
  ])
  if (!image) {
    throw IMAGE_NOT_FOUND(data.image)
  }
  await refuseForbiddenImage(hands, { reference: data.image, image })
  const newVolumes = await refuseForeignVolumes(hands, data, found)
  const name = `${data.app}-${shortId(data.deployment)}`
  const current = switchboard.current(data.app)?.deployment
  const kept = await keepUsed(hands, data.app, found)
  const siblings = found.filter(each => !kept.includes(each))
  // Not before: what is kept leaves its address to another one.
  const slots = await switchboard.slots(data.app)
  const places = planPlaces({ data, siblings, slots, current, network: network.name })
  return { image, name, ...places, newVolumes, at: await reachedAt(hands, data, places.ip) }
}

async function reachedAt(
  hands: Hands,
  { app, port, health }: ContainerStartData,
  ip: string,
): Promise<Reach | undefined> {
  if (port === undefined) {
    return undefined
  }
  const place = { name: app, ip, port }
  return health.http === undefined
    ? await reachOf(hands, place)
    : await mustReach(hands, place, '"health.http"')
}

/** The end of a UUIDv7 is its random part; its beginning is the same for a minute. */
function shortId(deployment: string): string {
  return deployment
    .toLowerCase()
    .replace(/[^a-z0-9]/g, '')
    .slice(-8)
}

async function startBeside(hands: Hands, data: ContainerStartData, scene: Scene): Promise<string> {
  const { dockerSocket } = hands.host
  await Promise.all(scene.leftovers.map(each => removeLeftover(hands, data.app, each)))
  if (scene.mustYield) {
    hands.say(`${scene.mustYield.name} is stopped first: ${scene.yieldReason}`, 'info')
    await yieldPlace(hands, scene.mustYield.id)
  }
  const created = await hands.perform(createContainer(dockerSocket, scene.name, specOf(hands, data, scene)))
  if ('refused' in created) {
    throw CONTAINER_START_REFUSED(data.app, created.refused)
  }
  // Somebody else may have made one of this name in between.
  await refuseForeignVolumes(hands, scene.newVolumes, [])
  const refusal = data.sandbox?.token
    ? await startWithToken(hands, created.id, data)
    : await hands.perform(startContainer(dockerSocket, created.id))
  if (refusal) {
    throw await explainRefusal(hands, data.app, refusal.refused)
  }
  hands.say(`container ${scene.name} started${whereOf(hands, scene)}`, 'info')
  return created.id
}

function whereOf({ host }: Hands, { ip, at }: Scene): string {
  if (!host.engine) {
    return ` at ${ip}`
  }
  return ` on the engine "${host.engine.name}"${at ? `, its port published at ${at.ip}:${at.port}` : ''}`
}

function specOf(hands: Hands, data: ContainerStartData, scene: Scene): object {
  const { app, deployment, commit, configHash, port, sandbox } = data
  const { engine, network } = hands.host
  const { at } = scene
  const published =
    engine && at && port !== undefined ? [{ host: at.port, container: port, address: at.ip }] : []
  return containerSpec({
    ...data,
    sandbox: sandbox && { ...sandbox, ...(sandbox.token ? { secrets: TOKEN_FOLDER } : {}) },
    labels: {
      ...data.labels,
      [LABEL.app]: app,
      [LABEL.deployment]: deployment,
      [LABEL.commit]: commit,
      [LABEL.config]: configHash,
      [LABEL.slot]: String(scene.slot),
    },
    network: { name: network.name, ...(engine ? {} : { ip: scene.ip }) },
    ports: [...data.ports, ...published],
    volumes: data.volumes.map(volume => ({ ...volume, name: volumeName(app, volume.name) })),
  })
}

interface Started {
  readonly data: ContainerStartData
  readonly scene: Scene
  readonly ready: Ready
}

function describe(hands: Hands, { data, scene, ready }: Started): Static<typeof ContainerStartResult> {
  const { health, facts } = ready
  const repository = data.image.replace(/@.*$/, '').replace(/:[^/:]*$/, '')
  const digest = scene.image.digests.find(each => each.startsWith(`${repository}@`))
  hands.say(`container ${facts.name} is ${health}`, 'info')
  return {
    containerId: facts.id,
    name: facts.name,
    ip: scene.ip,
    imageId: facts.imageId,
    ...(digest ? { digest } : {}),
    health,
    startedAt: facts.startedAt,
    started: scene.present === undefined,
  }
}

interface Failure {
  readonly scene: Scene
  readonly error: unknown
}

/** The old version serves on, the new container is gone, and the error carries its last lines. */
async function leaveNothing(cancelled: Hands, { scene, error }: Failure): Promise<unknown> {
  const hands = handsForCleanUp(cancelled, CLEAN_UP_MS)
  const { dockerSocket } = hands.host
  try {
    // Without the lines the error says less, but the container must go all the same.
    const lines = await lastLines(hands, scene.name, endOf(error)).catch(() => [])
    await hands.perform(removeContainer(dockerSocket, scene.name))
    if (scene.mustYield) {
      await takePlaceBack(hands, scene.mustYield)
      hands.say(`${scene.mustYield.name} was started again`, 'info')
    }
    const isOurs = error instanceof FairleadError && lines.length > 0
    return isOurs ? error.with({ facts: { ...error.facts, log: lines } }) : error
  } catch (problem) {
    hands.say(`${scene.name} could not be cleaned up: ${asFairleadError(problem).message}`, 'stderr')
    return error
  }
}

function endOf(error: unknown): string | undefined {
  const at = error instanceof FairleadError ? error.facts?.endedAt : undefined
  return typeof at === 'string' ? at : undefined
}
