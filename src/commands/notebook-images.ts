import { createHash } from 'node:crypto'
import { parseReference } from '#formats/image-reference.ts'
import { inspectImage } from '#programs/docker-images.ts'
import type { RecipeKeys } from '#recipes/recipe-keys.ts'
import type { Hands } from './command.ts'
import { LABEL } from './container-data.ts'
import { lookForManifest } from './image-manifest.ts'
import type { NotebookExamined, NotebookWish } from './notebook-data.ts'

/** Names of what images were made from; all follow from the files, so equal files have equal images. */
export const NOTEBOOK_LABEL = {
  environment: 'io.fairlead.notebook.environment',
  pack: 'io.fairlead.notebook.pack',
} as const

/** What the two images of a project are called. */
export interface NotebookNames {
  readonly environment: { readonly key: string; readonly reference: string }
  readonly content: { readonly key: string; readonly reference: string }
}

/** Where nothing is added to a base image, it is the environment itself if its layers are where the content goes. */
export function namesOf(
  { registry, prefix = 'notebooks', slug }: Pick<NotebookWish, 'registry' | 'prefix' | 'slug'>,
  { keys, base }: { readonly keys: RecipeKeys; readonly base: string },
): NotebookNames {
  const root = registry ? `${registry.address}/${prefix}` : 'fairlead/notebooks'
  const isThere = !registry || parseReference(base)?.host === registry.address
  const key = keys.isBaseEnough ? keys.base : keys.environment
  return {
    environment: { key, reference: keys.isBaseEnough && isThere ? base : `${root}/env:${key}` },
    content: { key: keys.content, reference: `${root}/p/${slug}:${keys.content}` },
  }
}

type Environment = NonNullable<NotebookExamined['environment']>
type Content = NonNullable<NotebookExamined['content']>

/** Caches of builds are folders that all in a build can write to: no repository finds there what another one left. */
export function cachesOf({ repository }: Pick<NotebookWish, 'repository'>): string {
  return createHash('sha256').update(repository).digest('hex').slice(0, 12)
}

export async function lookForEnvironment(
  hands: Hands,
  { key, reference }: NotebookNames['environment'],
  registry: NotebookWish['registry'],
): Promise<Environment> {
  const [found, manifest] = await lookBoth(hands, reference, registry)
  // A tag on this host proves nothing by itself; a base has no label of ours, and its name has its digest.
  const local = found && (key.startsWith('b-') || found.labels[NOTEBOOK_LABEL.environment] === key)
  if (manifest?.kind === 'present') {
    return { key, reference, present: 'registry', digest: manifest.digest }
  }
  return { key, reference, present: local ? 'local' : manifest?.kind === 'unknown' ? 'unknown' : 'missing' }
}

export async function lookForContent(
  hands: Hands,
  { key, reference }: NotebookNames['content'],
  registry: NotebookWish['registry'],
): Promise<Content> {
  const [image, manifest] = await lookBoth(hands, reference, registry)
  const local = image?.labels[LABEL.tree] === key ? image : undefined
  const found = { key, reference, ...(local ? { localImageId: local.id } : {}) }
  if (manifest?.kind !== 'present') {
    return { ...found, registry: manifest?.kind ?? 'none' }
  }
  const pinned = `${reference.slice(0, reference.lastIndexOf(':'))}@${manifest.digest}`
  return {
    ...found,
    registry: 'present',
    registryDigest: manifest.digest,
    ...(local?.digests.includes(pinned) ? { pinned } : {}),
  }
}

async function lookBoth(hands: Hands, reference: string, registry: NotebookWish['registry']) {
  const { repository = '', tag, digest } = parseReference(reference) ?? {}
  const wanted = digest ?? tag ?? 'latest'
  return await Promise.all([
    hands.perform(inspectImage(hands.host.dockerSocket, reference)),
    registry ? lookForManifest(hands, { registry, repository, reference: wanted }) : undefined,
  ])
}
