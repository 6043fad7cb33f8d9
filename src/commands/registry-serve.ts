import { type Static, Type } from 'typebox'
import { asFairleadError } from '#lib/errors.ts'
import {
  type ContainerFacts,
  createContainer,
  inspectContainer,
  removeContainer,
  startContainer,
  stopContainer,
} from '#programs/docker-containers.ts'
import { type ImageFacts, inspectImage, pullImage } from '#programs/docker-images.ts'
import { registrySpec, renameContainer } from '#programs/registry-container.ts'
import { handsForCleanUp } from './clean-up.ts'
import { defineCommand, type Hands } from './command.ts'
import { LABEL } from './container-data.ts'
import { lastLines } from './container-lines.ts'
import { refuseForbiddenImage, refuseForbiddenPorts, sayTo } from './container-policy.ts'
import { containersOf } from './container-siblings.ts'
import { createTransferReport } from './image-progress.ts'
import { faultOfRegistry } from './registry-alive.ts'
import { RegistryServeData } from './registry-data.ts'
import { REGISTRY_IMAGE_MISSING, REGISTRY_NOT_SERVING } from './registry-errors.ts'
import { forgetRegistryFiles, writeRegistryFiles } from './registry-folder.ts'

const CLEAN_UP_MS = 120_000
const LOOK_AGAIN_MS = 200

const ServeResult = Type.Object(
  { containerId: Type.String(), name: Type.String(), imageId: Type.String(), startedAt: Type.String() },
  { additionalProperties: false },
)

export const registryServe = defineCommand({
  name: 'registry.serve',
  summary:
    'Runs an image registry with TLS and accounts on this host; the one before comes back when it fails.',
  role: 'worker',
  data: RegistryServeData,
  result: ServeResult,
  deadlineMs: 900_000,
  lock: ({ app }) => `container:${app}`,
  run: serve,
})

/** Two cannot share the port and the images: the old one makes room, and is kept until the new one answers. */
async function serve(hands: Hands, data: RegistryServeData): Promise<Static<typeof ServeResult>> {
  refuseForbiddenPorts(hands.host.policy, [{ host: data.port }], sayTo(hands))
  const image = await imageFor(hands, data.image)
  await refuseForbiddenImage(hands, { reference: data.image, image })
  const folder = await writeRegistryFiles(hands, data)
  const all = await containersOf(hands, data.app)
  const own = all.find(each => each.labels[LABEL.deployment] === data.deployment)
  const others = all.filter(each => each !== own)
  const previous = others.find(each => each.state === 'running') ?? others[0]
  try {
    await makeRoom(hands, data.app, others)
    const id = own?.id ?? (await make(hands, data, folder))
    const facts = await started(hands, data, id)
    for (const each of others) {
      await hands.perform(removeContainer(hands.host.dockerSocket, each.id))
    }
    await forgetRegistryFiles(hands, data.app, data.deployment)
    hands.say(`the registry ${data.access.address} answers`, 'info')
    return { containerId: facts.id, name: facts.name, imageId: facts.imageId, startedAt: facts.startedAt }
  } catch (error) {
    throw await bringBack(hands, { data, previous, error })
  }
}

async function imageFor(hands: Hands, reference: string): Promise<ImageFacts> {
  const { dockerSocket } = hands.host
  const present = await hands.perform(inspectImage(dockerSocket, reference))
  if (present) {
    return present
  }
  const report = createTransferReport(hands, 'fetched')
  let refusal = 'its registry does not have it'
  await hands
    .perform(
      pullImage(hands.host.dockerSocket, {
        reference,
        onEvent: event => {
          report.show(event)
          refusal = event.kind === 'failed' ? event.reason : refusal
        },
      }),
    )
    .catch(error => {
      hands.signal.throwIfAborted()
      refusal = asFairleadError(error).message
    })
  const fetched = await hands.perform(inspectImage(dockerSocket, reference))
  if (!fetched) {
    throw REGISTRY_IMAGE_MISSING(reference, refusal)
  }
  return fetched
}

async function makeRoom(hands: Hands, app: string, others: readonly ContainerFacts[]): Promise<void> {
  const { dockerSocket } = hands.host
  for (const { id, name, state } of others) {
    if (state === 'running' || state === 'restarting' || state === 'paused') {
      await hands.perform(stopContainer(dockerSocket, id))
    }
    if (name === app) {
      await renamed(hands, { id, app, name: `${app}-${id.slice(0, 12)}` })
    }
  }
}

async function renamed(
  hands: Hands,
  to: { readonly id: string; readonly app: string; readonly name: string },
) {
  const refusal = await hands.perform(renameContainer(hands.host.dockerSocket, to.id, to.name))
  if (refusal !== undefined) {
    throw REGISTRY_NOT_SERVING(to.app, refusal)
  }
}

async function make(hands: Hands, data: RegistryServeData, folder: string): Promise<string> {
  const { app, image, deployment, commit, configHash, port } = data
  const labels = {
    [LABEL.app]: app,
    [LABEL.deployment]: deployment,
    [LABEL.commit]: commit,
    [LABEL.config]: configHash,
    [LABEL.slot]: '0',
  }
  const spec = registrySpec({ image, labels, folder, volume: `${app}-data`, hostPort: port })
  const made = await hands.perform(createContainer(hands.host.dockerSocket, app, spec))
  if ('refused' in made) {
    throw REGISTRY_NOT_SERVING(app, made.refused)
  }
  return made.id
}

async function started(hands: Hands, data: RegistryServeData, id: string): Promise<ContainerFacts> {
  const { dockerSocket } = hands.host
  const refusal = await hands.perform(startContainer(dockerSocket, id))
  if (refusal) {
    throw REGISTRY_NOT_SERVING(data.app, refusal.refused)
  }
  const deadline = hands.clock.monotonic() + data.withinMs
  for (;;) {
    const facts = await hands.perform(inspectContainer(dockerSocket, id))
    if (facts?.state !== 'running' || facts.restarts > 0) {
      throw REGISTRY_NOT_SERVING(data.app, `its container ended (exit code ${facts?.exitCode ?? 'unknown'})`)
    }
    const fault = await faultOfRegistry(hands, data.access)
    if (fault === undefined) {
      return facts
    }
    if (hands.clock.monotonic() >= deadline) {
      throw REGISTRY_NOT_SERVING(data.app, fault)
    }
    await hands.clock.sleep(LOOK_AGAIN_MS, hands.signal)
  }
}

interface Failure {
  readonly data: RegistryServeData
  readonly previous: ContainerFacts | undefined
  readonly error: unknown
}

/** The one before serves again, under its name; the new container is gone, and its last lines are in the log. */
async function bringBack(cancelled: Hands, { data, previous, error }: Failure): Promise<unknown> {
  const hands = handsForCleanUp(cancelled, CLEAN_UP_MS)
  const { dockerSocket } = hands.host
  try {
    const all = await containersOf(hands, data.app)
    const own = all.find(each => each.labels[LABEL.deployment] === data.deployment)
    if (own) {
      await lastLines(hands, own.id).catch(() => [])
      await hands.perform(removeContainer(dockerSocket, own.id))
    }
    if (previous) {
      const now = all.find(({ id }) => id === previous.id)
      if (now && now.name !== data.app) {
        await renamed(hands, { id: now.id, app: data.app, name: data.app })
      }
      await hands.perform(startContainer(dockerSocket, previous.id))
      hands.say('the registry as it was before was started again', 'info')
    }
  } catch (problem) {
    hands.say(`the registry was not brought back: ${asFairleadError(problem).message}`, 'stderr')
  }
  return error
}
