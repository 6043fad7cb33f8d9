import { imageName, parseReference } from '#formats/image-reference.ts'
import { inspectImage, tagImage } from '#programs/docker-images.ts'
import type { Hands } from './command.ts'
import type { RegistryData } from './image-data.ts'
import { BASE_IMAGE_PULL_FAILED, IMAGE_NOT_FOUND } from './image-errors.ts'
import { pull } from './image-pull.ts'
import { sendImage } from './image-send.ts'
import { appendContent } from './notebook-append.ts'
import { buildContent, buildEnvironment } from './notebook-build.ts'
import { sayContract } from './notebook-contract.ts'
import type {
  NotebookContent,
  NotebookContentData,
  NotebookEnvironment,
  NotebookEnvironmentData,
} from './notebook-data.ts'
import { NOTEBOOK_CHANGED } from './notebook-errors.ts'
import { lookForContent, lookForEnvironment } from './notebook-images.ts'
import { type Ready, readyProject } from './notebook-look.ts'

/** The environment's image: in the registry when there is one, on this host when there is none. */
export async function makeEnvironment(
  hands: Hands,
  data: NotebookEnvironmentData,
): Promise<NotebookEnvironment> {
  const ready = await readyProject(hands, data)
  const { key, reference } = ready.names.environment
  refuseChanged(data, key)
  const { registry } = data
  const found = await lookForEnvironment(hands, ready.names.environment, registry)
  const isBase = ready.keys.isBaseEnough
  if (found.present === 'registry') {
    hands.say(`the environment ${reference} is in the registry already`, 'info')
    return { reference, ...(found.digest ? { digest: found.digest } : {}), how: isBase ? 'base' : 'present' }
  }
  const how = found.present === 'local' ? 'present' : 'built'
  if (how === 'built') {
    await (isBase ? nameBase(hands, data, ready) : build(hands, data, ready))
  } else {
    hands.say(`the environment ${reference} is here already`, 'info')
  }
  const local = await hands.perform(inspectImage(hands.host.dockerSocket, reference))
  if (!local) {
    throw IMAGE_NOT_FOUND(reference)
  }
  const parsed = parseReference(reference)
  const digest =
    registry && parsed?.tag ? await sendImage(hands, { reference, registry }, parsed.repository) : undefined
  return {
    reference,
    imageId: local.id,
    ...(digest === undefined ? {} : { digest }),
    how: isBase ? 'base' : how,
  }
}

async function build(hands: Hands, data: NotebookEnvironmentData, ready: Ready): Promise<void> {
  if (ready.recipe.base !== '') {
    await fetchBase(hands, data, ready.recipe.base)
  }
  await buildEnvironment(hands, data, ready)
}

/** The base itself, under the name of an environment where its layers must be in another registry. */
async function nameBase(
  hands: Hands,
  data: NotebookEnvironmentData,
  { recipe, names }: Ready,
): Promise<void> {
  await fetchBase(hands, data, recipe.base)
  if (names.environment.reference !== recipe.base) {
    await hands.perform(tagImage(hands.host.dockerSocket, recipe.base, names.environment.reference))
  }
}

/** Before the build, which would neither know our credentials nor a registry's own certificate authority. */
async function fetchBase(
  hands: Hands,
  { registry, registries = [] }: NotebookEnvironmentData,
  reference: string,
): Promise<void> {
  if (await hands.perform(inspectImage(hands.host.dockerSocket, reference))) {
    return
  }
  hands.say(`fetching the base image ${reference}`, 'info')
  const address = parseReference(reference)?.host ?? 'docker.io'
  const known = [...(registry ? [registry] : []), ...registries].find(each => each.address === address)
  if (!(await pull(hands, reference, known ?? { address, username: '', password: '' }))) {
    throw BASE_IMAGE_PULL_FAILED(reference, 'the registry does not have it')
  }
}

/** The project's own image: its environment and its files, here and in the registry. */
export async function makeContent(hands: Hands, data: NotebookContentData): Promise<NotebookContent> {
  const ready = await readyProject(hands, data)
  const { key, reference } = ready.names.content
  refuseChanged(data, key)
  const { registry } = data
  const found = await lookForContent(hands, ready.names.content, registry)
  if (registry && found.registryDigest !== undefined) {
    return {
      ...(await fetched(hands, { reference, registry, digest: found.registryDigest })),
      how: 'present',
    }
  }
  if (registry) {
    const digest = await appendContent(hands, data, ready)
    if (digest !== undefined) {
      return { ...(await fetched(hands, { reference, registry, digest })), how: 'appended' }
    }
  }
  const isHere = found.localImageId !== undefined
  if (!isHere) {
    await haveEnvironment(hands, data, ready)
    await buildContent(hands, data, ready)
  }
  const local = await hands.perform(inspectImage(hands.host.dockerSocket, reference))
  const parsed = parseReference(reference)
  if (!local || !parsed) {
    throw IMAGE_NOT_FOUND(reference)
  }
  const missing = ready.recipe.pack === 'docker' ? await sayContract(hands, reference) : []
  const pinned = registry
    ? `${imageName(parsed)}@${await sendImage(hands, { reference, registry }, parsed.repository)}`
    : undefined
  return {
    reference,
    imageId: local.id,
    ...(pinned === undefined ? {} : { pinned }),
    ...(missing.length === 0 ? {} : { missing }),
    how: isHere ? 'present' : ready.keys.isAppendable ? 'appended' : 'built',
  }
}

/** Another host may have built it; and one that was here may have been pruned since it was looked for. */
async function haveEnvironment(hands: Hands, data: NotebookContentData, { names }: Ready): Promise<void> {
  const { environment, registry } = data
  const { reference, digest } = environment
  const { dockerSocket } = hands.host
  const parsed = parseReference(reference)
  if (!parsed || (await hands.perform(inspectImage(dockerSocket, reference)))) {
    return
  }
  if (!registry || digest === undefined) {
    const { environment: _, ...wish } = data
    await makeEnvironment(hands, { ...wish, key: names.environment.key })
    return
  }
  const pinned = `${imageName(parsed)}@${digest}`
  if (!(await pull(hands, pinned, registry))) {
    throw IMAGE_NOT_FOUND(pinned)
  }
  if (parsed.tag !== undefined) {
    await hands.perform(tagImage(dockerSocket, pinned, reference))
  }
}

interface InRegistry {
  readonly reference: string
  readonly registry: RegistryData
  readonly digest: string
}

async function fetched(
  hands: Hands,
  { reference, registry, digest }: InRegistry,
): Promise<Omit<NotebookContent, 'how'>> {
  const { dockerSocket } = hands.host
  const pinned = `${reference.slice(0, reference.lastIndexOf(':'))}@${digest}`
  const known = await hands.perform(inspectImage(dockerSocket, pinned))
  if (!known && !(await pull(hands, pinned, registry))) {
    throw IMAGE_NOT_FOUND(pinned)
  }
  await hands.perform(tagImage(dockerSocket, pinned, reference))
  const local = known ?? (await hands.perform(inspectImage(dockerSocket, pinned)))
  if (!local) {
    throw IMAGE_NOT_FOUND(pinned)
  }
  return { reference, imageId: local.id, pinned }
}

/** What was planned, and perhaps approved, is what is made. */
function refuseChanged({ slug, key }: { readonly slug: string; readonly key: string }, found: string): void {
  if (key !== found) {
    throw NOTEBOOK_CHANGED(slug, key, found)
  }
}
