import { ASLEEP, type ObservedContainer } from '#commands/container-data.ts'
import type { ImageContent } from '#commands/image-content.ts'
import type { FoundImage } from '#commands/image-find.ts'
import { readRelease } from './container-release.ts'
import type { DriftedParts } from './drifted-parts.ts'
import type { LookInput, ReleaseFacts } from './target.ts'

export interface ObservedRoute {
  readonly hosts: readonly string[]
  /** Absent: it has its hosts for itself. */
  readonly prefix?: string
  readonly port: number
  readonly ip?: string
  readonly deployment?: string
  /** Absent: everybody may visit it. */
  readonly guard?: { readonly login?: string; readonly isOurs: boolean }
}

/** The image as the plan sees it: of the source's content, or of the release that is brought back. */
export type WantedImage = Omit<ImageContent, 'key' | 'tag'> & {
  /** The name to run it by, when it is here and neither its digest nor its content tag says it. */
  readonly localName?: string | undefined
}

/** The worker's answers to look(), as their commands' result schemas shape them. */
export interface Found {
  readonly content: WantedImage
  /** What the worker said of the image of the release that is brought back. */
  readonly released: FoundImage | undefined
  readonly containers: readonly ObservedContainer[]
  readonly route: ObservedRoute | undefined
  /** What visitors get instead of the app; undefined when it answers, or nobody asked. */
  readonly fault: string | undefined
}

export function foundOf(input: Pick<LookInput<unknown>, 'found' | 'app' | 'goal'>): Found {
  const { content, image, containers, routes, answers } = input.found as {
    content?: { images: readonly [ImageContent] }
    image?: { images: readonly [FoundImage] }
    containers: { containers: readonly ObservedContainer[] }
    routes?: { routes: Readonly<Record<string, ObservedRoute | null>> }
    answers?: { routes: Readonly<Record<string, { readonly fault: string | null }>> }
  }
  return {
    released: image?.images[0],
    content: content?.images[0] ?? releasedContent(image?.images[0], input.goal),
    containers: containers.containers,
    route: routes?.routes[input.app.name] ?? undefined,
    fault: answers?.routes[input.app.name]?.fault ?? undefined,
  }
}

/** Never pushed, so what the registry has does not matter once the image is here. */
function releasedContent(found: FoundImage | undefined, goal: ReleaseFacts | undefined): WantedImage {
  const { image = '', pinned, imageId } = readRelease(goal)
  const localName = found?.localName
  return {
    reference: image,
    registry: 'none',
    ...(localName === undefined ? {} : { localName, localImageId: String(imageId) }),
    ...(typeof pinned === 'string' ? { pinned } : {}),
  }
}

/** The container that is what is wanted already: made from the same settings, running, healthy, and answering. */
export function runningAsWanted(
  found: Found,
  {
    configHash,
    goal,
    drifted,
  }: {
    readonly configHash: string
    readonly goal: ReleaseFacts | undefined
    readonly drifted: DriftedParts | undefined
  },
): ObservedContainer | undefined {
  if (found.fault !== undefined) {
    return undefined
  }
  const imageId = goal && readRelease(goal).imageId
  const fitting = found.containers.filter(
    each =>
      each.configHash === configHash &&
      !drifted?.containers.includes(each.id) &&
      (imageId === undefined || each.imageId === imageId) &&
      (each.state === 'running' || each.state === ASLEEP) &&
      (each.health === 'none' || each.health === 'healthy') &&
      (found.route?.deployment === undefined || each.deployment === found.route.deployment),
  )
  return fitting.find(each => each.serving) ?? fitting[0]
}

/** What serves before this deployment: by the switchboard, else the one that was started last. */
export function servingBefore(found: Found, deployment: string): ObservedContainer | undefined {
  const others = found.containers.filter(each => each.deployment !== deployment)
  const running = others.filter(each => each.state === 'running')
  const newest = running.toSorted((a, b) => b.startedAt.localeCompare(a.startedAt))[0]
  return others.find(each => each.serving) ?? newest
}
