import { join, posix } from 'node:path'
import { type Static, Type } from 'typebox'
import { AS_LONG_AS_COMMAND_MS } from '#exec/call.ts'
import { baseImages } from '#formats/dockerfile-images.ts'
import { imageName, parseReference } from '#formats/image-reference.ts'
import { asFairleadError } from '#lib/errors.ts'
import { Secret } from '#lib/secret.ts'
import { inspectImage, removeImage, tagImage } from '#programs/docker-images.ts'
import { checkedPath } from '#programs/git-names.ts'
import { isAllowedHere, noteBuilt } from './built-here.ts'
import { defineCommand, type Hands } from './command.ts'
import { AppName, CommitId, ImageName, LABEL } from './container-data.ts'
import { fileCall } from './file-call.ts'
import { isMadeFrom, refuseDockerfileOutside } from './image-content.ts'
import { BuildArgs, BuildName, BuildTarget, RegistryData, RepositoryKey, TreePath } from './image-data.ts'
import { BASE_IMAGE_PULL_FAILED, IMAGE_PATH_REFUSED, IMAGE_SOURCE_MISSING } from './image-errors.ts'
import { refuseByPolicy } from './image-policy.ts'
import { pull } from './image-pull.ts'
import { checkoutFolder } from './repository-folders.ts'

const strict = { additionalProperties: false } as const
const LARGEST_DOCKERFILE = 1024 * 1024
const BUILD_MS = 30 * 60_000

const BuildData = Type.Object(
  {
    app: AppName,
    repository: RepositoryKey,
    commit: CommitId,
    context: TreePath,
    dockerfile: TreePath,
    target: Type.Optional(BuildTarget),
    args: BuildArgs,
    /** For RUN --mount=type=secret,id=NAME: never in the image. */
    secrets: Type.Record(BuildName, Type.String({ secret: true, maxLength: 65_536 })),
    /** Name and content tag (image.content). */
    reference: ImageName,
    /** Registries whose credentials the base images may need. */
    registries: Type.Array(RegistryData, { maxItems: 16 }),
    /** Set when a registry has this content already: then it is fetched instead of built. */
    fetch: Type.Optional(
      Type.Object(
        {
          registry: RegistryData,
          digest: Type.String({ pattern: '^sha256:[0-9a-f]{64}$' }),
          /** Name of the image there; default: as in the reference. */
          name: Type.Optional(ImageName),
        },
        strict,
      ),
    ),
  },
  strict,
)
type BuildData = Static<typeof BuildData>

const BuildResult = Type.Object(
  {
    imageId: Type.String(),
    built: Type.Boolean(),
    source: Type.Union([Type.Literal('build'), Type.Literal('registry'), Type.Literal('host')]),
  },
  strict,
)

export const imageBuild = defineCommand({
  name: 'image.build',
  summary: 'Makes an image from a folder of a commit, unless an image with the same content exists.',
  role: 'worker',
  data: BuildData,
  result: BuildResult,
  deadlineMs: BUILD_MS,
  // The second of two equal builds then finds the image of the first.
  lock: data => `image:${data.reference}`,
  run: build,
})

async function build(hands: Hands, data: BuildData): Promise<Static<typeof BuildResult>> {
  const local = await hands.perform(inspectImage(hands.host.dockerSocket, data.reference))
  const tag = parseReference(data.reference)?.tag
  if (local && isMadeFrom(local, tag) && (await isAllowedHere(hands, data.reference, local))) {
    hands.say(`image ${data.reference} is here already`, 'info')
    return { imageId: local.id, built: false, source: 'host' }
  }
  const { registries } = hands.host.policy
  const mayFetch = registries.length === 0 || registries.includes(data.fetch?.registry.address ?? '')
  const fetched = data.fetch && mayFetch ? await fetchImage(hands, data, data.fetch) : undefined
  if (fetched !== undefined) {
    return { imageId: fetched, built: false, source: 'registry' }
  }
  const imageId = await buildImage(hands, data)
  await noteBuilt(hands, imageId)
  return { imageId, built: true, source: 'build' }
}

/** Undefined when it has to be built after all. */
async function fetchImage(
  hands: Hands,
  data: BuildData,
  { registry, digest, name }: NonNullable<BuildData['fetch']>,
): Promise<string | undefined> {
  const { dockerSocket } = hands.host
  const parsed = parseReference(data.reference)
  const pinned = `${name ?? (parsed ? imageName(parsed) : data.reference)}@${digest}`
  try {
    if (await pull(hands, pinned, registry)) {
      const pulled = await hands.perform(inspectImage(dockerSocket, pinned))
      if (pulled && isMadeFrom(pulled, parsed?.tag)) {
        await hands.perform(tagImage(dockerSocket, pinned, data.reference))
        return pulled.id
      }
      await hands.perform(removeImage(dockerSocket, pinned))
      hands.say(`${pinned} says of itself that it was made from something else: building instead`, 'stderr')
    }
  } catch (error) {
    hands.signal.throwIfAborted()
    hands.say(`building instead of fetching: ${asFairleadError(error).message}`, 'info')
  }
  return undefined
}

async function buildImage(hands: Hands, data: BuildData): Promise<string> {
  const { context, text } = await readSource(hands, data)
  refuseByPolicy(hands, { ...data, text })
  await fetchPrivateBases(hands, data, text)
  return hands.perform({
    kind: 'image-build',
    socket: hands.host.dockerSocket,
    context,
    dockerfile: posix.relative(data.context, data.dockerfile),
    ...(data.target ? { target: data.target } : {}),
    args: data.args,
    secrets: Object.fromEntries(
      Object.entries(data.secrets).map(([name, value]) => [name, new Secret(value)]),
    ),
    tags: [data.reference],
    labels: {
      [LABEL.app]: data.app,
      [LABEL.commit]: data.commit,
      [LABEL.tree]: parseReference(data.reference)?.tag ?? '',
    },
    registries: Object.fromEntries(
      data.registries
        .filter(registry => registry.username !== '')
        .map(({ address, username, password }) => [address, { username, password: new Secret(password) }]),
    ),
    timeoutMs: AS_LONG_AS_COMMAND_MS,
    read: built => built.imageId,
  })
}

/** Where the context is, and what the Dockerfile says. Links are written as plain files by the checkout, so none is followed. */
export async function readSource(
  hands: Hands,
  data: Pick<BuildData, 'repository' | 'commit' | 'context' | 'dockerfile'>,
): Promise<{ context: string; text: string }> {
  refuseDockerfileOutside(data)
  const checkout = checkoutFolder(hands.host.workspace, data.repository, data.commit)
  const context = join(checkout, checkedPath(data.context))
  const path = join(checkout, checkedPath(data.dockerfile))
  const [folder, file] = await Promise.all([
    hands.perform(fileCall({ operation: 'stat', path: context })),
    hands.perform(fileCall({ operation: 'read', path, maxBytes: LARGEST_DOCKERFILE })),
  ])
  if (folder.missing || folder.kind !== 'folder') {
    throw folder.missing
      ? IMAGE_SOURCE_MISSING(data.context, data.commit)
      : IMAGE_PATH_REFUSED(data.context, 'it is not a folder')
  }
  if (file.missing || file.text === undefined) {
    throw IMAGE_SOURCE_MISSING(data.dockerfile, data.commit)
  }
  return { context, text: file.text }
}

/**
 * Fetches base images of the registries that we have credentials for before the build: the builder inside older
 * engines knows neither a registry's own certificate authority (it reads it once, when the engine starts) nor TLS on loopback.
 */
async function fetchPrivateBases(hands: Hands, data: BuildData, text: string): Promise<void> {
  for (const reference of baseImages(text, data.args)) {
    const registry = data.registries.find(({ address }) => address === parseReference(reference)?.host)
    if (registry && !(await hands.perform(inspectImage(hands.host.dockerSocket, reference)))) {
      hands.say(`fetching the base image ${reference}`, 'info')
      if (!(await pull(hands, reference, registry))) {
        throw BASE_IMAGE_PULL_FAILED(reference, 'the registry does not have it')
      }
    }
  }
}
