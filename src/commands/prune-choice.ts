import type { DiskUsage, UsedContainer, UsedImage } from '#programs/disk-usage.ts'
import { LABEL } from './container-data.ts'
import { isMadeName } from './made-name.ts'

export interface PruneRules {
  /** Names of apps that this manager has or had: what carries another one, or none, is not ours. */
  readonly ours: readonly string[]
  /** Of them, those that it has now. */
  readonly present: readonly string[]
  /** Names, digests and ids of images that must stay. */
  readonly keep: readonly string[]
  /** Also what Fairlead did not make. */
  readonly allUnused: boolean
  readonly youngerThanMs: number
}

export interface PruneChoice {
  readonly images: readonly UsedImage[]
  readonly containers: readonly UsedContainer[]
  readonly kept: readonly { readonly image: UsedImage; readonly why: string }[]
}

const STOPPED = ['created', 'exited', 'dead']

/** What may go and what stays, with the reason. Pure. */
export function choosePrunable(usage: DiskUsage, rules: PruneRules, now: number): PruneChoice {
  const containers = usage.containers.filter(each => isLeftover(each, rules))
  const used = new Set(usage.containers.filter(each => !containers.includes(each)).map(each => each.imageId))
  const keep = new Set(rules.keep)
  const images: UsedImage[] = []
  const kept: { image: UsedImage; why: string }[] = []
  for (const image of usage.images) {
    if (!rules.allUnused && !rules.ours.includes(image.labels[LABEL.app] ?? '')) {
      continue
    }
    const { allUnused, youngerThanMs } = rules
    const why = whyKept(image, { used, keep, allUnused, isNew: now - image.createdAt < youngerThanMs })
    if (why === undefined) {
      images.push(image)
    } else {
      kept.push({ image, why })
    }
  }
  return { images, containers, kept }
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
  readonly allUnused: boolean
  readonly isNew: boolean
}

function whyKept(image: UsedImage, { used, keep, allUnused, isNew }: Reasons): string | undefined {
  if (used.has(image.id)) {
    return 'a container was made from it'
  }
  const digests = image.digests.flatMap(each => [each, each.slice(each.indexOf('@') + 1)])
  if ([image.id, ...image.tags, ...digests].some(name => keep.has(name))) {
    return 'a release, an artifact or a deployment at work names it'
  }
  // Whoever builds FROM an image of ours inherits its label.
  if (!allUnused && !image.tags.every(isMadeName)) {
    return 'it has a name that no deployment gave'
  }
  return isNew ? 'it is new' : undefined
}
