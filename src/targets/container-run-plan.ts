import { containerRemove, containerStart, containerVerify, containerWatch } from '#commands/container.ts'
import { imagePrune } from '#commands/image.ts'
import { routePoint, routeRemove } from '#commands/route.ts'
import { BUILD_CACHE } from './build-settings.ts'
import type { Decision } from './container-decision.ts'
import { imagesOf } from './container-release.ts'
import { namesOfImages } from './released-image.ts'
import { type Plan, type ResultOf, resultOf, type Tell, tell } from './target.ts'

/** How the image comes to be, which every target does in its own way. */
export interface Making {
  readonly build: readonly Tell[]
  readonly push: readonly Tell[]
  readonly image: string | ResultOf
  /** Of notebooks: keys of environments that stay; of the others those go that nobody needs. */
  readonly environments?: readonly string[]
}

type Lists = Omit<Plan, 'release' | 'changes' | 'nothingToDo'>

export const NO_TELLS: Lists = {
  ...{ build: [], push: [], apply: [], verify: [], route: [], watch: [], prune: [], undo: [] },
}

/** One container beside the one that serves: started, proved, routed, and only then the old one goes. */
export function planRun(decision: Decision, { build, push, image, environments }: Making): Lists {
  return {
    build,
    push,
    apply: applyTells(decision, image),
    verify: verifyTells(decision),
    route: routeTells(decision),
    watch: watchTells(decision),
    prune: pruneTells(decision, build.length > 0, environments),
    undo: undoTells(decision),
  }
}

function applyTells(decision: Decision, image: Making['image']): Tell[] {
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
      image,
    }),
  ]
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
      ...(wants.prefix === undefined ? {} : { prefix: wants.prefix }),
      port,
      deployment: present?.deployment ?? deployment,
      ip: present?.ip ?? resultOf('start', 'ip'),
      ...(wants.probe ? { probe: wants.probe } : {}),
      ...(wants.guard ? { guard: wants.guard } : {}),
      ...(wants.holds ? { holds: true } : {}),
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

function pruneTells(decision: Decision, isMade: boolean, environments: Making['environments']): Tell[] {
  const { input, wants, found, present, serving, leftovers } = decision
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
    keep: [
      ...new Set([
        found.content.reference,
        ...namesOfImages(releases.flatMap(imagesOf)),
        ...(environments ?? []),
      ]),
    ],
    keepLast: 0,
    ...(environments === undefined ? {} : { environments: true }),
    buildCache: BUILD_CACHE,
  })
  return [...(isReplaced || leftovers.length > 0 ? [containers] : []), ...(isMade ? [images] : [])]
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

/** With the guard of what served before: neither does a failure let anybody in, nor does it shut anybody out. */
function undoRouteTells({ input, wants, found }: Decision): Tell[] {
  const { name } = input.app
  const { route } = found
  if (route?.ip && route.deployment) {
    const { hosts, prefix, port, ip, deployment } = route
    const { isOurs, ...before } = route.guard ?? {}
    const was = {
      ...(prefix === undefined ? {} : { prefix }),
      ...(isOurs === undefined ? {} : { guard: before }),
    }
    return [tell('undo-route', routePoint, { name, hosts: [...hosts], port, ip, deployment, ...was })]
  }
  return wants.hosts.length > 0 ? [tell('undo-route', routeRemove, { name })] : []
}
