import { environmentKeyIn } from '#formats/image-reference.ts'
import type { ManifestFacts } from '#programs/registry-contents.ts'

/** One manifest of a repository of the registry, with the tags that mean it. */
export interface StoredManifest extends ManifestFacts {
  readonly repository: string
  readonly tags: readonly string[]
}

export interface CollectChoice {
  readonly gone: readonly StoredManifest[]
  readonly kept: readonly { readonly manifest: StoredManifest; readonly why: string }[]
  /** Of layers that nothing kept has, each counted once. */
  readonly bytes: number
}

/** What our builds call their images: by their content. Environments of notebooks have names of their own. */
const OWN_TAG = /^t-(?:[0-9a-f]{32}|[0-9a-f]{24})$/
/** A tag that stands for a reference to another image, where the registry knows no such references. */
const REFERRER_TAG = /^sha256-([0-9a-f]{64})(?:\.[a-z]+)?$/

/**
 * Only images that our builds made may go, and of them those that nothing names: not by digest, not by tag, not as a
 * part of an index that stays. What says something of an image goes and stays with it. `spared` has the reasons why
 * others stay that nothing names, by keyOf. Pure.
 */
export function chooseCollectable(
  stored: readonly StoredManifest[],
  keep: readonly string[],
  spared: ReadonlyMap<string, string> = new Map(),
): CollectChoice {
  const names = new Set(keep)
  const why = new Map<StoredManifest, string>()
  const byDigest = (repository: string, digest: string) =>
    stored.find(each => each.repository === repository && each.digest === digest)
  const isPinned = (each: StoredManifest) =>
    [
      each.digest,
      ...each.tags.map(tag => `${each.repository}:${tag}`),
      ...each.tags.flatMap(tag => environmentKeyIn(`${each.repository}:${tag}`) ?? []),
    ].some(name => names.has(name))
  const stay = (each: StoredManifest | undefined, reason: string): void => {
    if (!each || why.has(each)) {
      return
    }
    why.set(each, reason)
    for (const child of each.children) {
      stay(byDigest(each.repository, child), 'it is part of an index that stays')
    }
  }
  for (const each of stored) {
    const foreign = each.tags.find(tag => !isOwnTag(each, tag) && !REFERRER_TAG.test(tag))
    const spares = spared.get(keyOf(each))
    if (foreign !== undefined) {
      stay(each, `the tag "${foreign}" was given to it`)
    } else if (spares !== undefined) {
      stay(each, spares)
    } else if (isPinned(each) || each.children.some(child => names.has(child))) {
      stay(each, 'a release, an artifact, a container or a deployment at work names it')
    }
  }
  // Until nothing changes: one may speak of one that speaks of another.
  for (let before = -1; before !== why.size; ) {
    before = why.size
    for (const each of stored) {
      const subject = subjectOf(each)
      const about = subject === undefined ? undefined : byDigest(each.repository, subject)
      if (subject !== undefined && (about === undefined || why.has(about))) {
        stay(each, 'it belongs to an image that stays')
      }
    }
  }
  const gone = stored.filter(each => !why.has(each))
  return {
    gone,
    kept: [...why].map(([manifest, reason]) => ({ manifest, why: reason })),
    bytes: freed(gone, [...why.keys()]),
  }
}

/** By which a manifest of a repository is known. */
export function keyOf({ repository, digest }: Pick<StoredManifest, 'repository' | 'digest'>): string {
  return `${repository}@${digest}`
}

/** What an image says of itself. */
export interface Made {
  readonly app: string | undefined
  /** It says that it is the environment which its tag names: that is no single app's. */
  readonly isEnvironment: boolean
  /** ms since 1970. */
  readonly at: number | undefined
}

/** Why an image stays that nothing names: a tag alone shows not who made it. `made` has it and its parts. */
export function whySpared(
  made: readonly Made[],
  {
    ours,
    youngerThanMs,
    now,
  }: { readonly ours: ReadonlySet<string>; readonly youngerThanMs: number; readonly now: number },
): string | undefined {
  if (!made.some(({ app, isEnvironment }) => isEnvironment || (app !== undefined && ours.has(app)))) {
    return 'no app of this manager made it'
  }
  return made.some(({ at = 0 }) => now - at < youngerThanMs) ? 'it is new' : undefined
}

/** Whether it has a tag of ours: only such a one can begin what goes. */
export function isCandidate(manifest: StoredManifest): boolean {
  return manifest.tags.some(tag => isOwnTag(manifest, tag))
}

function isOwnTag({ repository }: StoredManifest, tag: string): boolean {
  return OWN_TAG.test(tag) || environmentKeyIn(`${repository}:${tag}`) !== undefined
}

function subjectOf({ subject, tags }: StoredManifest): string | undefined {
  const [, hex] = tags.map(tag => REFERRER_TAG.exec(tag)).find(found => found !== null) ?? []
  return subject ?? (hex === undefined ? undefined : `sha256:${hex}`)
}

function freed(gone: readonly StoredManifest[], kept: readonly StoredManifest[]): number {
  const needed = new Set(kept.flatMap(each => each.blobs.map(blob => blob.digest)))
  const blobs = new Map(gone.flatMap(each => each.blobs.map(blob => [blob.digest, blob.bytes] as const)))
  return [...blobs].reduce((sum, [digest, bytes]) => sum + (needed.has(digest) ? 0 : bytes), 0)
}
