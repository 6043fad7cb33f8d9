import { imageBuild, imagePush } from '#commands/image.ts'
import { changesOf } from './container-changes.ts'
import { type ContainerDecision, decide, isSettled } from './container-decision.ts'
import { readRelease, releasedImageOf, releaseOf } from './container-release.ts'
import { NO_TELLS, planRun } from './container-run-plan.ts'
import type { ContainerSettings } from './container-settings.ts'
import { placeOf } from './publication.ts'
import { fetchTell } from './released-image.ts'
import { type Plan, type PlanInput, type ResultOf, resultOf, type Tell, tell } from './target.ts'

/** Decides what to tell the worker from what it reported. Pure: the same input gives the same plan. */
export function planContainer(input: PlanInput<ContainerSettings>): Plan {
  const decision = decide(input)
  const { wants, found, configHash, present, serving, leftovers, mustBuild, mustPush } = decision
  const release = releaseOf(wants, {
    reference: found.content.reference,
    pinned: pinnedOf(decision),
    imageId: present?.imageId ?? resultOf('start', 'imageId'),
    configHash,
  })
  const changes = changesOf({
    app: input.app.name,
    before: readRelease(input.previous),
    after: release,
    serving,
    present,
    leftovers,
    build: !mustBuild ? 'none' : found.content.registryDigest || input.goal ? 'fetch' : 'build',
    push: mustPush ? 'push' : 'none',
    image: found.content,
    route: found.route,
    fault: found.fault,
    isDrifted: input.drifted?.containers.includes(serving?.id ?? '') ?? false,
  })
  const nothingToDo = isSettled(decision)
  return nothingToDo
    ? { ...NO_TELLS, release: { ...release }, changes, nothingToDo }
    : {
        ...planRun(decision, {
          build: buildTells(decision),
          push: pushTells(decision),
          image: imageToRun(decision),
        }),
        publishes: wants.run.ports.map(({ host, protocol = 'tcp', address }) => ({
          ...{ protocol, first: host, last: host },
          ...placeOf(address),
        })),
        release: { ...release },
        changes,
        nothingToDo,
      }
}

function buildTells(decision: ContainerDecision): Tell[] {
  const { input, wants, found, mustBuild } = decision
  if (input.goal) {
    const image = releasedImageOf(input, input.goal)
    return mustBuild ? [fetchTell({ key: 'build', image, found: found.released, name: 'rename' })] : []
  }
  const { app, source, registry } = input
  const { reference, registryDigest } = found.content
  const { secretNames: _, repositoryName: __, ...image } = wants.image
  const data = {
    ...image,
    app: app.name,
    repository: source.repository,
    commit: source.commit,
    secrets: wants.buildSecrets,
    reference,
    registries: registry ? [registry] : [],
    ...(registry && registryDigest ? { fetch: { registry, digest: registryDigest } } : {}),
  }
  return mustBuild ? [tell('build', imageBuild, data)] : []
}

function pushTells({ input: { registry }, found, mustPush }: ContainerDecision): Tell[] {
  return mustPush && registry
    ? [tell('push', imagePush, { reference: found.content.reference, registry })]
    : []
}

/** What names the image beyond doubt: its digest where a registry knows it. */
function pinnedOf({ found, mustPush }: ContainerDecision): string | ResultOf | undefined {
  return mustPush ? resultOf('push', 'reference') : found.content.pinned
}

/**
 * By its digest where the registry has the image. One that is only here is started by its content tag, which is as
 * exact, and so needs not wait for its push.
 */
function imageToRun({ found, mustPush }: ContainerDecision): string | ResultOf {
  const { registry, reference, pinned, localName } = found.content
  return mustPush && registry === 'present'
    ? resultOf('push', 'reference')
    : (localName ?? pinned ?? reference)
}
