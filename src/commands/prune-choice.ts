import type { DiskUsage, UsedContainer, UsedImage } from '#programs/disk-usage.ts'
import { LABEL } from './container-data.ts'
import { isMadeName } from './made-name.ts'
import { environmentOf, isEnvironment, neededEnvironments } from './notebook-garbage.ts'

export interface PruneRules {
  /** Names of apps that this manager has or had: what carries another one, or none, is not ours. */
  readonly ours: readonly string[]
  /** Of them, those that it has now. */
  readonly present: readonly string[]
  /** Names, digests and ids of images that must stay. */
  readonly keep: readonly string[]
  /** Names of people's kind that deployments gave, and nothing lists any more. */
  readonly given?: readonly string[] | undefined
  /** Environments of notebooks too, which are no single app's. */
  readonly environments: boolean
  /** Also what Fairlead did not make. */
  readonly allUnused: boolean
  readonly youngerThanMs: number
}

export interface PruneChoice {
  readonly images: readonly UsedImage[]
  readonly containers: readonly UsedContainer[]
  readonly kept: readonly { readonly image: UsedImage; readonly why: string }[]
}

/** An environment is nobody's alone: somebody else who works on the engine may be about to use one that is new. */
const YOUNG_MS = 3_600_000
const STOPPED = ['created', 'exited', 'dead']

/** What may go and what stays, with the reason. Pure. */
export function choosePrunable(usage: DiskUsage, rules: PruneRules, now: number): PruneChoice {
  const containers = usage.containers.filter(each => isLeftover(each, rules))
  const used = new Set(usage.containers.filter(each => !containers.includes(each)).map(each => each.imageId))
  const keep = new Set(rules.keep)
  const given = new Set(rules.given)
  const { allUnused, youngerThanMs } = rules
  const images: UsedImage[] = []
  const kept: { image: UsedImage; why: string }[] = []
  const decide = (image: UsedImage, needed: ReadonlySet<string>) => {
    const isNew =
      now - image.createdAt < (isEnvironment(image) ? Math.max(youngerThanMs, YOUNG_MS) : youngerThanMs)
    const why = whyKept(image, { used, keep, given, needed, allUnused, isNew })
    if (why === undefined) {
      images.push(image)
    } else {
      kept.push({ image, why })
    }
  }
  for (const image of usage.images.filter(each => !isEnvironment(each) && isOurs(each, rules))) {
    decide(image, new Set())
  }
  // What was made from an environment is decided first: only what stays of it needs it.
  const stay = usage.images.filter(each => !images.includes(each))
  const needed = neededEnvironments(
    usage.containers.filter(each => !containers.includes(each)),
    stay,
  )
  for (const image of stay.filter(each => isEnvironment(each) && isOurs(each, rules))) {
    decide(image, needed)
  }
  return { images, containers, kept }
}

function isOurs(image: UsedImage, { allUnused, environments, ours }: PruneRules): boolean {
  return allUnused || ours.includes(image.labels[LABEL.app] ?? '') || (environments && isEnvironment(image))
}

/** A stopped container of an app that is gone. Of an app that is there a stopped one may be part of its release. */
function isLeftover({ state, labels }: UsedContainer, { ours, present }: PruneRules): boolean {
  const app = labels[LABEL.app]
  const isMade = app !== undefined && labels[LABEL.config] !== undefined
  return STOPPED.includes(state) && isMade && ours.includes(app) && !present.includes(app)
}

interface Reasons {
  readonly used: ReadonlySet<string>
  readonly keep: ReadonlySet<string>
  readonly given: ReadonlySet<string>
  /** Keys of environments. */
  readonly needed: ReadonlySet<string>
  readonly allUnused: boolean
  readonly isNew: boolean
}

function whyKept(image: UsedImage, reasons: Reasons): string | undefined {
  const { used, keep, given, needed, allUnused, isNew } = reasons
  if (used.has(image.id)) {
    return 'a container was made from it'
  }
  const digests = image.digests.flatMap(each => [each, each.slice(each.indexOf('@') + 1)])
  const key = isEnvironment(image) ? (environmentOf(image) ?? '') : ''
  if ([image.id, ...image.tags, ...digests, key].some(name => keep.has(name))) {
    return 'a release, an artifact or a deployment at work names it'
  }
  if (needed.has(key)) {
    return 'a container or an image that stays was made from it'
  }
  // Whoever builds FROM an image of ours inherits its label.
  if (!allUnused && !image.tags.every(tag => isMadeName(tag) || given.has(tag))) {
    return 'it has a name that no deployment gave'
  }
  return isNew ? 'it is new' : undefined
}
