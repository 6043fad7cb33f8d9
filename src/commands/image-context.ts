import { createHash } from 'node:crypto'
import { posix } from 'node:path'
import { parseDockerIgnore } from '#formats/docker-ignore.ts'
import { keptOfContext } from '#formats/kept-of-context.ts'
import { type ContextEntry, listContext } from '#programs/git-context.ts'
import { readBlobs } from '#programs/git-tree.ts'
import type { Hands } from './command.ts'

interface Image {
  readonly context: string
  /** From the root of the repository. */
  readonly dockerfile: string
}

export interface ContextWish {
  readonly mirror: string
  /** Of trees and files of the commit, those of ignoreFilesOf() among them. */
  readonly ids: Readonly<Record<string, string | null>>
  readonly image: Image
}

/** As the packing of a context allows it (exec/build-context.ts). */
const MAX_IGNORE_BYTES = 256 * 1024

/** Where a .dockerignore may be, the one that counts first. */
export function ignoreFilesOf({ context, dockerfile }: Image): readonly string[] {
  return [`${dockerfile}.dockerignore`, posix.join(context, '.dockerignore')]
}

/**
 * Says what a builder gets of a commit: the id of the context's tree, or, where a .dockerignore leaves something out, a
 * hash of the rest. So a commit that only changes what is left out builds nothing.
 */
export async function contextIdOf(hands: Hands, { mirror, ids, image }: ContextWish): Promise<string> {
  const tree = ids[image.context] ?? ''
  const present = ignoreFilesOf(image).filter(path => ids[path])
  if (present.length === 0) {
    return tree
  }
  const entries = await hands.perform(listContext(mirror, tree))
  const inContext = present.map(path => posix.relative(image.context, path))
  const file = inContext
    .map(path => entries.find(entry => entry.path === path))
    .find(entry => entry?.mode.startsWith('100'))
  const texts = file && (await hands.perform(readBlobs(mirror, [file.id], MAX_IGNORE_BYTES)))
  const dockerfile = posix.relative(image.context, image.dockerfile)
  return keptId(entries, { text: (file && texts?.get(file.id)) ?? '', dockerfile }) ?? tree
}

/** Undefined when there is no sense in the .dockerignore: the build will say so. */
export function keptId(
  entries: readonly ContextEntry[],
  { text, dockerfile }: { readonly text: string; readonly dockerfile: string },
): string | undefined {
  const ignore = parseDockerIgnore(text)
  if (ignore.invalid !== undefined) {
    return undefined
  }
  const kept = keptOfContext(
    entries.map(entry => entry.path),
    { ignore, dockerfile },
  )
  const byPath = new Map(entries.map(entry => [entry.path, entry]))
  const hash = createHash('sha256')
  for (const path of [...kept].sort()) {
    const { mode, id } = byPath.get(path) ?? { mode: 'folder', id: '' }
    hash.update(JSON.stringify([path, mode, id]))
  }
  return hash.digest('hex')
}
