import { isDeepStrictEqual } from 'node:util'
import { composeDown, composeRestore, composeUp, composeVerify } from '#commands/compose.ts'
import { imageBuild, imagePrune, imagePush } from '#commands/image.ts'
import { routePoint, routeRemove } from '#commands/route.ts'
import { changesOf } from './compose-changes.ts'
import {
  type Found,
  foundOf,
  hashesOf,
  type ServiceState,
  serviceStates,
  servicesThatMustRun,
} from './compose-found.ts'
import { type ComposeRelease, readRelease, releasedRender, shownEnvironment } from './compose-release.ts'
import type { ComposeSettings } from './compose-settings.ts'
import { type ComposeWants, type WantedRoute, wantsOf } from './compose-wants.ts'
import { type Plan, type PlanInput, resultOf, type Tell, tell } from './target.ts'

/** Images of the last releases stay on the host, so that going back needs no build. */
const KEPT_RELEASES = 5
/** A build leaves twice its context in the cache and nothing else collects it. */
const BUILD_CACHE = { hours: 24, bytes: 5_000_000_000 }

/** All that the lists of the plan are made from. */
interface Decision {
  readonly input: PlanInput<ComposeSettings>
  readonly wants: ComposeWants
  readonly found: Found
  readonly services: readonly ServiceState[]
  readonly builds: readonly ServiceState[]
  readonly pushes: readonly ServiceState[]
  readonly mustApply: boolean
  /** Routes that lead elsewhere now, or nowhere. */
  readonly routes: readonly WantedRoute[]
  /** Names of routes that nobody wants any more. */
  readonly goneRoutes: readonly string[]
}

/** Decides what to tell the worker from what it reported. Pure: the same input gives the same plan. */
export function planCompose(input: PlanInput<ComposeSettings>): Plan {
  const decision = decide(input)
  const { builds, pushes, mustApply, routes, goneRoutes } = decision
  const changes = changesOf({ ...decision, before: readRelease(input.previous) })
  const release = { ...releaseOf(decision) }
  const nothingToDo = !mustApply && pushes.length === 0 && routes.length === 0 && goneRoutes.length === 0
  return nothingToDo
    ? { ...EMPTY, release, changes, nothingToDo }
    : {
        build: builds.map(service => buildTell(decision, service)),
        push: pushes.flatMap(service => pushTells(decision, service)),
        apply: mustApply ? [upTell(decision)] : [],
        verify: [verifyTell(decision)],
        route: routeTells(decision),
        prune: pruneTells(decision),
        undo: undoTells(decision),
        release,
        changes,
        nothingToDo,
      }
}

const EMPTY = { build: [], push: [], apply: [], verify: [], route: [], prune: [], undo: [] } as const

function decide(input: PlanInput<ComposeSettings>): Decision {
  const wants = wantsOf(input)
  const found = foundOf(input.found)
  const services = serviceStates(found)
  const wanted = new Set(services.map(each => each.name))
  const hasOrphans = found.containers.some(each => !wanted.has(each.service))
  const isMisplaced = found.rendered.routes.some(route =>
    found.containers.some(each => each.service === route.service && each.ip !== route.ip),
  )
  // A registry that does not answer is no reason to touch what runs as wanted.
  const pushes = services.filter(
    ({ image, state }) =>
      wants.registry &&
      image &&
      image.registry !== 'none' &&
      !image.pinned &&
      !(state === 'as-wanted' && image.registry !== 'missing'),
  )
  const mustApply =
    hasOrphans ||
    isMisplaced ||
    services.some(each => each.state !== 'as-wanted') ||
    releasedRender(input.previous, wants.project) === undefined
  // Starting again needs every image, also those of services that stay.
  const builds = services.filter(
    each => each.image && !each.image.localImageId && (mustApply || pushes.includes(each)),
  )
  const names = new Set(wants.routes.map(route => route.name))
  return {
    input,
    wants,
    found,
    services,
    builds,
    pushes,
    mustApply,
    routes: wants.routes.filter(route => !leadsThere(found, route)),
    goneRoutes: (readRelease(input.previous).routes ?? []).filter(
      name => !names.has(name) && found.routes[name],
    ),
  }
}

function leadsThere(found: Found, { name, hosts, port }: WantedRoute): boolean {
  const route = found.routes[name]
  return (
    route !== null &&
    route !== undefined &&
    isDeepStrictEqual([...route.hosts].sort(), [...hosts].sort()) &&
    route.port === port &&
    route.ip === addressOf(found, name)
  )
}

function addressOf({ rendered }: Found, name: string): string {
  return rendered.routes.find(route => route.name === name)?.ip ?? ''
}

function verifyTell({ wants, services, found }: Decision): Tell {
  const mustRun = servicesThatMustRun(found.rendered)
  return tell('verify', composeVerify, { project: wants.project, services: hashesOf(services), mustRun })
}

function imagesOf(services: readonly ServiceState[]): Record<string, string> {
  return Object.fromEntries(services.flatMap(({ name, image }) => (image ? [[name, image.reference]] : [])))
}

function releaseOf({ input, wants, services, mustApply }: Decision): ComposeRelease {
  return {
    project: wants.project,
    render: mustApply ? resultOf('up', 'render') : releasedRender(input.previous, wants.project),
    images: imagesOf(services),
    services: hashesOf(services),
    routes: wants.routes.map(route => route.name),
    environment: shownEnvironment(wants),
  }
}

function buildTell({ input, wants }: Decision, { name, rendered, image }: ServiceState): Tell {
  const { app, source, registry } = input
  const { context, dockerfile, args, target, secrets } = rendered.build ?? {
    context: '.',
    dockerfile: 'Dockerfile',
    args: {},
    target: undefined,
    secrets: {},
  }
  const values = { ...wants.variables, ...wants.secrets }
  const digest = image?.registryDigest
  return tell(`build:${name}`, imageBuild, {
    app: app.name,
    repository: source.repository,
    commit: source.commit,
    context,
    dockerfile,
    args,
    ...(target ? { target } : {}),
    secrets: Object.fromEntries(
      Object.entries(secrets).map(([id, variable]) => [id, values[variable] ?? '']),
    ),
    reference: image?.reference ?? '',
    registries: registry ? [registry] : [],
    ...(registry && digest ? { fetch: { registry, digest } } : {}),
  })
}

function pushTells({ wants: { registry } }: Decision, { name, image }: ServiceState): Tell[] {
  return registry && image ? [tell(`push:${name}`, imagePush, { reference: image.reference, registry })] : []
}

function upTell({ input, wants, found, services }: Decision): Tell {
  return tell('up', composeUp, {
    app: input.app.name,
    project: wants.project,
    render: found.rendered.render,
    images: imagesOf(services),
    withinMs: wants.withinMs,
    settleMs: wants.settleMs,
    registries: input.registry ? [input.registry] : [],
  })
}

/** After a change every route is proved through the proxy again, also those that lead to the same place. */
function routeTells({ input, wants, found, mustApply, routes, goneRoutes }: Decision): Tell[] {
  const proved = mustApply ? wants.routes : routes
  return [
    ...proved.map(({ name, hosts, port }) =>
      tell(`route:${name}`, routePoint, {
        name,
        hosts: [...hosts],
        port,
        deployment: input.deployment,
        ip: addressOf(found, name),
        ...(wants.probePath ? { probe: { path: wants.probePath, expect: { from: 200, to: 399 } } } : {}),
      }),
    ),
    ...goneRoutes.map(name => tell(`unroute:${name}`, routeRemove, { name })),
  ]
}

function pruneTells({ input, wants, services, builds }: Decision): Tell[] {
  const app = input.app.name
  const before = readRelease(input.previous)
  const images = [...Object.values(imagesOf(services)), ...Object.values(before.images ?? {})]
  const built = services.filter(each => each.image).length
  const oldProject =
    before.project !== undefined && before.project !== wants.project ? before.project : undefined
  const prune = tell('prune', imagePrune, {
    app,
    keep: [...new Set(images)],
    keepLast: Math.min(100, KEPT_RELEASES * built),
    buildCache: BUILD_CACHE,
  })
  return [
    ...(oldProject === undefined
      ? []
      : [tell('down', composeDown, { app, project: oldProject, volumes: 'keep' as const })]),
    ...(builds.length === 0 ? [] : [prune]),
  ]
}

/** The services of the previous release first, then what leads to them. */
function undoTells({ input, wants, found, mustApply, routes }: Decision): Tell[] {
  const restore = tell('undo', composeRestore, {
    app: input.app.name,
    project: wants.project,
    render: releasedRender(input.previous, wants.project) ?? null,
    withinMs: wants.withinMs,
    settleMs: wants.settleMs,
    registries: input.registry ? [input.registry] : [],
  })
  const back = routes.map(({ name }) => {
    const before = found.routes[name]
    return before?.ip && before.deployment
      ? tell(`undo-route:${name}`, routePoint, {
          name,
          hosts: [...before.hosts],
          port: before.port,
          ip: before.ip,
          deployment: before.deployment,
        })
      : tell(`undo-route:${name}`, routeRemove, { name })
  })
  return [...(mustApply ? [restore] : []), ...back]
}
