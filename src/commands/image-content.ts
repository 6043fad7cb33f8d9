import { createHash } from 'node:crypto'
import { posix } from 'node:path'
import { type Static, Type } from 'typebox'
import { type ImageFacts, inspectImage } from '#programs/docker-images.ts'
import { treesOf } from '#programs/git-tree.ts'
import { isAllowedHere } from './built-here.ts'
import { defineCommand, type Hands } from './command.ts'
import { CommitId, LABEL } from './container-data.ts'
import { platformOf } from './engine-platform.ts'
import { contextIdOf, ignoreFilesOf } from './image-context.ts'
import {
  BuildArgs,
  BuildName,
  BuildTarget,
  ImagePath,
  RegistryData,
  RepositoryKey,
  TreePath,
} from './image-data.ts'
import { IMAGE_PATH_REFUSED, IMAGE_SOURCE_MISSING } from './image-errors.ts'
import { lookForManifest } from './image-manifest.ts'
import { foldersOf } from './repository-folders.ts'

const strict = { additionalProperties: false } as const

const WantedImage = Type.Object(
  {
    /** Names the image in the result. */
    key: Type.String({ minLength: 1, maxLength: 128 }),
    /** Folder that is sent to the builder, from the root of the repository. */
    context: TreePath,
    /** From the root of the repository too; it must lie inside the context. */
    dockerfile: TreePath,
    args: BuildArgs,
    target: Type.Optional(BuildTarget),
    secretNames: Type.Array(BuildName, { maxItems: 32 }),
    /** Name of the image without registry and tag. */
    repositoryName: ImagePath,
    registry: Type.Optional(RegistryData),
  },
  strict,
)
type WantedImage = Static<typeof WantedImage>

const ContentData = Type.Object(
  {
    repository: RepositoryKey,
    commit: CommitId,
    images: Type.Array(WantedImage, { minItems: 1, maxItems: 100 }),
  },
  strict,
)

export const ImageContent = Type.Object(
  {
    key: Type.String(),
    /** Made from everything that decides what the image becomes, so equal content has an equal tag. */
    tag: Type.String(),
    reference: Type.String(),
    localImageId: Type.Optional(Type.String()),
    /** `sha256:…` of the manifest that the registry has under this tag. */
    registryDigest: Type.Optional(Type.String()),
    /** none: no registry is wanted; unknown: it did not answer. */
    registry: Type.Union([
      Type.Literal('none'),
      Type.Literal('present'),
      Type.Literal('missing'),
      Type.Literal('unknown'),
    ]),
    /** `host/repository@sha256:…`: the image is here and in the registry, the same one. Nothing to build or push. */
    pinned: Type.Optional(Type.String()),
  },
  strict,
)
export type ImageContent = Static<typeof ImageContent>

const ContentResult = Type.Object({ images: Type.Array(ImageContent) }, strict)

export const imageContent = defineCommand({
  name: 'image.content',
  summary: 'Tells which tags images of a commit have by their content, and whether they exist already.',
  role: 'worker',
  looksOnly: true,
  data: ContentData,
  result: ContentResult,
  deadlineMs: 60_000,
  run: content,
})

/** Changing how tags are made must change them all: raise it then. */
const TAG_VERSION = 1

async function content(
  hands: Hands,
  data: Static<typeof ContentData>,
): Promise<Static<typeof ContentResult>> {
  data.images.forEach(refuseDockerfileOutside)
  const paths = [...new Set(data.images.flatMap(image => [image.context, image.dockerfile]))]
  const { mirror } = foldersOf(hands.host.workspace, data.repository)
  const ignoring = data.images.flatMap(ignoreFilesOf)
  const [ids, platform] = await Promise.all([
    hands.perform(treesOf(mirror, data.commit, [...new Set([...paths, ...ignoring])])),
    platformOf(hands),
  ])
  const missing = paths.find(path => !ids[path])
  if (missing !== undefined) {
    throw IMAGE_SOURCE_MISSING(missing, data.commit)
  }
  const images = data.images.map(async image => {
    const context = await contextIdOf(hands, { mirror, ids, image })
    return look(hands, image, contentTag(image, { ids, context, platform }))
  })
  return { images: await Promise.all(images) }
}

/** The builder is given the context only, so it can read no Dockerfile from elsewhere. */
export function refuseDockerfileOutside(image: {
  readonly context: string
  readonly dockerfile: string
}): void {
  const { context, dockerfile } = image
  const inside = posix.relative(context, dockerfile)
  if (inside === '' || inside.startsWith('..') || posix.isAbsolute(dockerfile) || posix.isAbsolute(context)) {
    throw IMAGE_PATH_REFUSED(dockerfile, `it is not inside the context "${context}"`)
  }
}

interface Source {
  readonly ids: Readonly<Record<string, string | null>>
  /** Equal for equal contexts. */
  readonly context: string
  readonly platform: string
}

/** `t-` and 32 hexadecimal digits. Values of secrets take no part: a rotated token must not rebuild an image. */
function contentTag(image: Omit<WantedImage, 'key' | 'repositoryName' | 'registry'>, source: Source): string {
  const { context, dockerfile, args, target, secretNames } = image
  const parts = [
    TAG_VERSION,
    source.context,
    posix.relative(context, dockerfile),
    source.ids[dockerfile],
    Object.entries(args).sort(([a], [b]) => (a < b ? -1 : 1)),
    target ?? null,
    [...secretNames].sort(),
    source.platform,
  ]
  return `t-${createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32)}`
}

async function look(hands: Hands, image: WantedImage, tag: string): Promise<ImageContent> {
  const { key, repositoryName, registry } = image
  const name = registry ? `${registry.address}/${repositoryName}` : `fairlead/${repositoryName}`
  const reference = `${name}:${tag}`
  const [found, manifest] = await Promise.all([
    hands.perform(inspectImage(hands.host.dockerSocket, reference)),
    registry ? lookForManifest(hands, { registry, repository: repositoryName, reference: tag }) : undefined,
  ])
  const isUsable = found && isMadeFrom(found, tag) && (await isAllowedHere(hands, reference, found))
  const local = isUsable ? found : undefined
  const digest = manifest?.kind === 'present' ? manifest.digest : undefined
  const pinned = digest === undefined ? undefined : `${name}@${digest}`
  return {
    key,
    tag,
    reference,
    ...(local ? { localImageId: local.id } : {}),
    ...(digest ? { registryDigest: digest } : {}),
    registry: manifest?.kind ?? 'none',
    ...(pinned && local?.digests.includes(pinned) ? { pinned } : {}),
  }
}

/** A tag can be given to any image. Builds of ours label theirs with it, and no Dockerfile can write over that label. */
export function isMadeFrom({ labels }: ImageFacts, tag: string | undefined): boolean {
  return tag !== undefined && labels[LABEL.tree] === tag
}
