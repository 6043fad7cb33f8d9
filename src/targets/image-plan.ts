import { imageAttest, imageBuild, imagePrune, imagePublish, imagePublished } from '#commands/image.ts'
import type { ImageContent } from '#commands/image-content.ts'
import type { FoundImage } from '#commands/image-find.ts'
import { LOCAL_NAME_TAKEN, VERSION_EXISTS } from '#commands/image-publish-errors.ts'
import type { FoundReference, PublishedResult } from '#commands/image-published.ts'
import { imageName, parseReference } from '#formats/image-reference.ts'
import { BUILD_CACHE } from './build-settings.ts'
import { shortImage } from './image-change.ts'
import { artifactImages, digestsOf, type ImageRelease, readImageRelease } from './image-release.ts'
import type { ImageSettings } from './image-settings.ts'
import { shortCommit } from './image-version.ts'
import { type ImageWants, imageWantsOf, type PushTarget } from './image-wants.ts'
import { releasedArtifact } from './released-artifact.ts'
import { fetchTell, namesOfImages } from './released-image.ts'
import { type Change, filesOf, type Plan, type PlanInput, resultOf, type Tell, tell } from './target.ts'

const NOTHING = {
  ...{ build: [], push: [], apply: [], verify: [], route: [], watch: [], prune: [], undo: [] },
} as const

type Input = PlanInput<ImageSettings>

/** Decides what to build and where to push it, from what the worker found. Pure: the same input gives the same plan. */
export function planImage(input: Input): Plan {
  const wants = imageWantsOf(input)
  if (!wants) {
    const unaffected = `commit ${shortCommit(input.source.commit)} has no tag, which would be its version`
    return { ...NOTHING, release: {}, changes: [], nothingToDo: false, unaffected }
  }
  const decision = decide(input, wants)
  refuseTaken(decision)
  const { isDone } = decision
  return {
    ...(isDone ? NOTHING : listsOf(decision)),
    release: { ...releaseOf(decision) },
    changes: changesOf(decision),
    nothingToDo: isDone,
  }
}

interface Decision {
  readonly input: Input
  readonly wants: ImageWants
  readonly tree: string
  /** What the image is called on the host, if it is there. */
  readonly here: string | undefined
  readonly hereId: string | undefined
  readonly content: ImageContent | undefined
  readonly released: FoundImage | undefined
  readonly local: PublishedResult['local']
  readonly found: readonly {
    readonly target: PushTarget
    readonly answer: FoundReference
    readonly isSame: boolean
  }[]
  /** Every registry has this version with this content, and it is the last release. */
  readonly isDone: boolean
}

function decide(input: Input, wants: ImageWants): Decision {
  const { content, image, published } = input.found as {
    content?: { images: readonly [ImageContent] }
    image?: { images: readonly [FoundImage] }
    published: PublishedResult
  }
  const made = content?.images[0]
  const released = image?.images[0]
  const goal = readImageRelease(input.goal)
  const tree = made?.tag ?? goal.tree ?? ''
  const found = wants.targets.map((target, index) => {
    const answer = published.references[index] ?? { reference: target.reference, state: 'unknown' as const }
    return { target, answer, isSame: isSame(input, tree, answer) }
  })
  const hereId = made?.localImageId ?? (released?.localName ? String(goal.imageId) : undefined)
  const isNamed = published.local !== null && published.local.imageId === hereId
  const last = readImageRelease(input.previous)
  const isLast = last.version === undefined || (last.version === wants.version && last.tree === tree)
  return {
    ...{ input, wants, tree, content: made, released, local: published.local, found, hereId },
    here: made?.localImageId ? made.reference : released?.localName,
    isDone: isLast && found.every(each => each.isSame) && (found.length > 0 || isNamed),
  }
}

/** By its label, or because an earlier release left this digest there; not every registry gives labels. */
function isSame({ previous, kept = [] }: Input, tree: string, answer: FoundReference): boolean {
  const { state, digest, reference } = answer
  const left = [...(previous ? [previous] : []), ...kept].find(
    release => digest !== undefined && digestsOf(release)[reference] === digest,
  )
  return state === 'present' && (answer.tree ?? readImageRelease(left).tree) === tree
}

/** Before anything is built. A registry that does not answer now is asked again before the push. */
function refuseTaken({ input, wants, found, local, hereId }: Decision): void {
  const taken = found.find(({ target, answer, isSame: same }) => {
    return answer.state === 'present' && !same && !target.mayMove
  })
  if (taken) {
    throw VERSION_EXISTS(taken.target.reference, taken.answer.digest ?? '')
  }
  if (local && local.imageId !== hereId && local.app !== input.app.name) {
    throw LOCAL_NAME_TAKEN(wants.image)
  }
}

function listsOf(decision: Decision): Omit<Plan, 'release' | 'changes' | 'nothingToDo'> {
  const { input, wants, tree, found, here, content } = decision
  const { name: app } = input.app
  const build = buildTells(decision)
  const image = here ?? content?.reference ?? wants.image
  const names = { app, image, name: wants.image, tree }
  const publish = tell('publish', imagePublish, { ...names, references: [...wants.targets] })
  const named = tell('name', imagePublish, { ...names, references: [] })
  const verify = tell('verify', imagePublished, {
    name: wants.image,
    references: found.map(({ target: { mayMove: _, ...each } }) => ({
      ...each,
      digest: resultOf('publish', 'digests', each.reference),
    })),
  })
  const releases = [...(input.previous ? [input.previous] : []), ...(input.kept ?? [])]
  const keep = new Set([wants.image, ...namesOfImages(releases.flatMap(artifactImages))])
  const prune = tell('prune', imagePrune, { app, keep: [...keep], keepLast: 0, buildCache: BUILD_CACHE })
  return {
    ...NOTHING,
    build,
    push: [publish],
    named: [named],
    attest: attestTells(decision),
    verify: [verify],
    prune: build.length > 0 ? [prune] : [],
  }
}

/** What is said of it goes beside it, so it needs a registry; what is brought back has been said already. */
function attestTells({ input, wants, found }: Decision): readonly Tell[] {
  const { source, settings, goal, app } = input
  const { origin, repository, commit } = source
  if (goal || settings.sbom === false || origin === undefined || found.length === 0) {
    return []
  }
  const { secretNames, ...build } = wants.build
  return [
    tell('attest', imageAttest, {
      app: app.name,
      image: wants.image,
      serviceName: wants.serviceName,
      version: wants.version,
      source: { ...build, repository, origin, commit, secretNames: [...secretNames] },
      references: found.map(({ target: { mayMove: _, ...each } }) => ({
        ...each,
        digest: resultOf('publish', 'digests', each.reference),
      })),
    }),
  ]
}

/** The image by its content, fetched where one of its registries has that already: a second build has another digest. */
function buildTells({ input, wants, found, here, content, released }: Decision): readonly Tell[] {
  const { app, source, registry, goal } = input
  if (here !== undefined) {
    return []
  }
  if (goal) {
    const image = releasedArtifact(wants, goal)
    return [fetchTell({ key: 'build', image, found: released, name: 'rename' })]
  }
  const { secretNames: _, ...build } = wants.build
  const source_ = found.find(each => each.isSame)
  const parsed = source_ && parseReference(source_.target.reference)
  const bases = wants.targets.map(target => target.registry).filter(({ username }) => username !== '')
  const registries = [...(registry ? [registry] : []), ...bases]
  return [
    tell('build', imageBuild, {
      ...build,
      app: app.name,
      ...filesOf(source),
      secrets: wants.buildSecrets,
      reference: content?.reference ?? wants.image,
      registries: registries.filter(
        (each, index) => registries.findIndex(({ address }) => address === each.address) === index,
      ),
      ...(source_?.answer.digest && parsed
        ? {
            fetch: {
              registry: source_.target.registry,
              digest: source_.answer.digest,
              name: imageName(parsed),
            },
          }
        : {}),
    }),
  ]
}

function releaseOf({ wants, tree, found, isDone, hereId }: Decision): ImageRelease {
  const digests = found.map(({ target, answer }) => [target.reference, answer.digest ?? ''] as const)
  const bytes = found.find(({ answer }) => answer.bytes !== undefined)?.answer.bytes
  return {
    service_name: wants.serviceName,
    version: wants.version,
    tree,
    image: wants.image,
    imageId: isDone ? (hereId ?? null) : resultOf('publish', 'imageId'),
    references: isDone ? Object.fromEntries(digests) : resultOf('publish', 'digests'),
    ...(isDone ? (bytes === undefined ? {} : { bytes }) : { bytes: resultOf('verify', 'bytes') }),
  }
}

function changesOf({ input, wants, found, here, isDone }: Decision): readonly Change[] {
  const isThere = found.some(each => each.isSame)
  const why =
    isThere || input.goal ? 'a registry has this content: it is fetched' : 'no image has this content yet'
  const build: Change[] = here === undefined && !isDone ? [{ kind: 'build', what: wants.image, why }] : []
  return [
    ...build,
    ...found.map(({ target, answer, isSame: same }): Change => {
      const what = target.reference
      if (same) {
        return { kind: 'untouched', what }
      }
      return answer.digest === undefined
        ? { kind: 'push', what }
        : { kind: 'push', what, from: shortImage(answer.digest), why: 'it means another content so far' }
    }),
    ...(found.length === 0 ? [{ kind: isDone ? 'untouched' : 'image', what: wants.image } as const] : []),
  ]
}
