import { containerRemove, containerStart, containerVerify, containerWatch } from '#commands/container.ts'
import { imageBuild, imagePrune, imagePush } from '#commands/image.ts'
import { routePoint, routeRemove } from '#commands/route.ts'
import { BUILD_CACHE } from './build-settings.ts'
import { changesOf } from './container-changes.ts'
import { type Decision, decide, isSettled } from './container-decision.ts'
import { imagesOf, readRelease, releasedImageOf, releaseOf } from './container-release.ts'
import type { ContainerSettings } from './container-settings.ts'
import { fetchTell, namesOfImages } from './released-image.ts'
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
    ? { ...EMPTY, release: { ...release }, changes, nothingToDo }
    : { ...listsOf(decision), release: { ...release }, changes, nothingToDo }
}

const EMPTY = {
  ...{ build: [], push: [], apply: [], verify: [], route: [], watch: [], prune: [], undo: [] },
} as const

function listsOf(decision: Decision): Omit<Plan, 'release' | 'changes' | 'nothingToDo'> {
  return {
    build: buildTells(decision),
    push: pushTells(decision),
    apply: applyTells(decision),
    verify: verifyTells(decision),
    route: routeTells(decision),
    watch: watchTells(decision),
    prune: pruneTells(decision),
    undo: undoTells(decision),
  }
}

function buildTells(decision: Decision): Tell[] {
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

function pushTells({ input: { registry }, found, mustPush }: Decision): Tell[] {
  return mustPush && registry
    ? [tell('push', imagePush, { reference: found.content.reference, registry })]
    : []
}

/** What names the image beyond doubt: its digest where a registry knows it. */
function pinnedOf({ found, mustPush }: Decision): string | ResultOf | undefined {
  return mustPush ? resultOf('push', 'reference') : found.content.pinned
}

function applyTells(decision: Decision): Tell[] {
  const { input, wants, configHash, present, serving } = decision
  if (present) {
    return []
  }
  return [
    tell('start', containerStart, {
      ...wants.run,
      app: input.app.name,
      deployment: input.deployment,
      commit: input.source.commit,
      configHash,
      ...(serving ? { previous: serving.deployment } : {}),
      image: imageToRun(decision),
    }),
  ]
}

/**
 * By its digest where the registry has the image. One that is only here is started by its content tag, which is as
 * exact, and so needs not wait for its push.
 */
function imageToRun({ found, mustPush }: Decision): string | ResultOf {
  const { registry, reference, pinned, localName } = found.content
  return mustPush && registry === 'present'
    ? resultOf('push', 'reference')
    : (localName ?? pinned ?? reference)
}

function verifyTells({ input, configHash, present }: Decision): Tell[] {
  const deployment = present?.deployment ?? input.deployment
  return [tell('verify', containerVerify, { app: input.app.name, deployment, configHash })]
}

function routeTells({ input, wants, found, present, isRouteWanted }: Decision): Tell[] {
  const { app, deployment } = input
  const { port } = wants.run
  if (wants.hosts.length === 0 || port === undefined) {
    return found.route ? [tell('route', routeRemove, { name: app.name })] : []
  }
  if (isRouteWanted) {
    return []
  }
  return [
    tell('route', routePoint, {
      name: app.name,
      hosts: [...wants.hosts],
      port,
      deployment: present?.deployment ?? deployment,
      ip: present?.ip ?? resultOf('start', 'ip'),
      ...(wants.probe ? { probe: wants.probe } : {}),
    }),
  ]
}

function watchTells({ input, wants, present }: Decision): Tell[] {
  return present || wants.watchMs === 0
    ? []
    : [
        tell('watch', containerWatch, {
          app: input.app.name,
          containers: [resultOf('verify', 'container')],
          mayComplete: [],
          forMs: wants.watchMs,
        }),
      ]
}

function pruneTells(decision: Decision): Tell[] {
  const { input, wants, found, present, serving, leftovers, mustBuild } = decision
  const { name: app } = input.app
  const isReplaced = !present && serving !== undefined
  const containers = tell('remove', containerRemove, {
    app,
    keep: [present?.deployment ?? input.deployment],
    drainMs: isReplaced && found.route ? wants.drainMs : 0,
  })
  const releases = [...(input.previous ? [input.previous] : []), ...(input.kept ?? [])]
  const images = tell('prune', imagePrune, {
    app,
    keep: [...new Set([found.content.reference, ...namesOfImages(releases.flatMap(imagesOf))])],
    keepLast: 0,
    buildCache: BUILD_CACHE,
  })
  return [...(isReplaced || leftovers.length > 0 ? [containers] : []), ...(mustBuild ? [images] : [])]
}

/**
 * Back to what served before. Requests go back first and then the new container goes; but when the old one had to make
 * room (a host port, a volume) it must be started again before anything can be sent to it.
 */
function undoTells(decision: Decision): Tell[] {
  const { input, found, present, serving, wants } = decision
  if (present) {
    return []
  }
  const madeRoom =
    wants.run.ports.length > 0 || wants.run.volumes.some(each => !each.readOnly && !each.shared)
  const containers = tell('undo-containers', containerRemove, {
    app: input.app.name,
    keep: serving ? [serving.deployment] : [],
    ...(madeRoom ? { serving: 'remove' as const } : {}),
    // Only a release that served for a while can still have requests to answer.
    drainMs: found.route && wants.watchMs > 0 ? wants.drainMs : 0,
  })
  const routes = undoRouteTells(decision)
  return madeRoom || !serving ? [containers, ...routes] : [...routes, containers]
}

function undoRouteTells({ input, wants, found }: Decision): Tell[] {
  const { name } = input.app
  const { route } = found
  if (route?.ip && route.deployment) {
    const { hosts, port, ip, deployment } = route
    return [tell('undo-route', routePoint, { name, hosts: [...hosts], port, ip, deployment })]
  }
  return wants.hosts.length > 0 ? [tell('undo-route', routeRemove, { name })] : []
}
