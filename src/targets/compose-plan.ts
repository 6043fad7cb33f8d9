import { composeDown, composeRetire, composeUp, composeVerify } from '#commands/compose.ts'
import { containerWatch } from '#commands/container.ts'
import { imagePrune, imagePush } from '#commands/image.ts'
import { routePoint, routeRemove } from '#commands/route.ts'
import { BUILD_CACHE } from './build-settings.ts'
import { buildImageTell } from './built-images.ts'
import { changesOf } from './compose-changes.ts'
import { type Decision, decide, isSettled } from './compose-decision.ts'
import { addressOf, type Found, hashesOf, type ServiceState, servicesThatMustRun } from './compose-found.ts'
import { goalFetch, imagesOf } from './compose-goal.ts'
import { refuseUnpublished } from './compose-openings.ts'
import { type ComposeRelease, readRelease, releasedRender, shownEnvironment } from './compose-release.ts'
import type { ComposeSettings } from './compose-settings.ts'
import { undoTells } from './compose-undo.ts'
import { type Publication, publicationsOf } from './publication.ts'
import { namesOfImages } from './released-image.ts'
import { type Plan, type PlanInput, type ReleaseFacts, resultOf, type Tell, tell } from './target.ts'

/** Decides what to tell the worker from what it reported. Pure: the same input gives the same plan. */
export function planCompose(input: PlanInput<ComposeSettings>): Plan {
  const decision = decide(input)
  refuseUnpublished(input.settings, decision.found.rendered.services)
  const { builds, pushes, mustApply } = decision
  const changes = changesOf({ ...decision, before: readRelease(input.previous) })
  const release = { ...releaseOf(decision) }
  const nothingToDo = isSettled(decision)
  return nothingToDo
    ? { ...EMPTY, release, changes, nothingToDo }
    : {
        build: builds.map(service => buildTell(decision, service)),
        push: pushes.flatMap(service => pushTells(decision, service)),
        apply: mustApply ? [upTell(decision)] : [],
        verify: [verifyTell(decision)],
        route: routeTells(decision),
        watch: watchTells(decision),
        prune: pruneTells(decision),
        undo: undoTells(decision),
        publishes: publishedBy(decision),
        release,
        changes,
        nothingToDo,
      }
}

const EMPTY = {
  ...{ build: [], push: [], apply: [], verify: [], route: [], watch: [], prune: [], undo: [] },
} as const

/** A service without containers binds nothing. */
function publishedBy({ found: { rendered } }: Decision): Publication[] {
  const services = Object.values(rendered.services)
  return publicationsOf(services.flatMap(({ replicas, ports }) => (replicas > 0 ? ports : [])))
}

function verifyTell({ wants, services, found, replaced }: Decision): Tell {
  const mustRun = servicesThatMustRun(found.rendered)
  return tell('verify', composeVerify, {
    project: wants.project,
    services: hashesOf(services),
    mustRun,
    replaced: [...replaced],
    ...remade(found),
  })
}

function builtImages(services: readonly ServiceState[]): Record<string, string> {
  return Object.fromEntries(services.flatMap(({ name, image }) => (image ? [[name, image.reference]] : [])))
}

function releaseOf(decision: Decision): ComposeRelease {
  const { input, wants, services, mustApply } = decision
  return {
    project: wants.project,
    render: mustApply ? resultOf('up', 'render') : releasedRender(input.previous, wants.project),
    images: (input.goal ? readRelease(input.goal).images : undefined) ?? builtImages(services),
    ran: mustApply ? resultOf('up', 'services') : readRelease(input.previous).ran,
    digests: digestsOf(decision),
    pinned: pinsOf(decision),
    services: hashesOf(services),
    routes: wants.routes.map(route => route.name),
    environment: shownEnvironment(wants),
    ...(decision.followed ? { followed: decision.followed } : {}),
  }
}

function pinsOf({ input, mustApply }: Decision): unknown {
  if (input.goal) {
    return readRelease(input.goal).pinned ?? {}
  }
  return mustApply ? resultOf('up', 'pinned') : (readRelease(input.previous).pinned ?? {})
}

/** Digests of built images, as far as a registry has them. */
function digestsOf({ input, services, pushes }: Decision): Record<string, unknown> {
  if (input.goal) {
    return { ...readRelease(input.goal).digests }
  }
  return Object.fromEntries(
    services.flatMap((service): [string, unknown][] => {
      const { name, image } = service
      const pin = pushes.includes(service) ? resultOf(`push:${name}`, 'reference') : image?.pinned
      return pin === undefined ? [] : [[name, pin]]
    }),
  )
}

function buildTell({ input, wants, found }: Decision, { name, rendered, image }: ServiceState): Tell {
  const { app, source, registry, goal } = input
  if (goal) {
    return goalFetch({ goal, registry, answers: found.released }, name)
  }
  return buildImageTell({ app, source, registry, build: rendered.build, image }, name, {
    ...wants.variables,
    ...wants.secrets,
  })
}

function pushTells({ wants: { registry } }: Decision, { name, image }: ServiceState): Tell[] {
  return registry && image ? [tell(`push:${name}`, imagePush, { reference: image.reference, registry })] : []
}

function upTell({ input, wants, found, services }: Decision): Tell {
  const start = {
    app: input.app.name,
    project: wants.project,
    render: found.rendered.render,
    beside: services.flatMap(({ name, isBeside }) => (isBeside ? [name] : [])),
    ...(wants.readyPath ? { http: wants.readyPath } : {}),
    withinMs: wants.withinMs,
    settleMs: wants.settleMs,
    registries: input.registry ? [input.registry] : [],
    ...remade(found),
    ...(input.drifted?.files.length ? { mend: [...input.drifted.files] } : {}),
  }
  if (input.goal) {
    const renamed = services.filter(({ rendered, image }) => image && image.reference !== rendered.image)
    return tell('up', composeUp, { ...start, images: builtImages(found.isAnew ? services : renamed) })
  }
  const renders = releasesBefore(input).map(release => releasedRender(release, wants.project))
  return tell('up', composeUp, {
    ...start,
    images: builtImages(services),
    ...(input.moved ? { pins: { ...input.moved } } : {}),
    keep: [...new Set(renders.filter(render => render !== undefined))],
  })
}

/** Containers that are made anew although they were made from what is wanted. */
function remade({ drifted }: Found): { remade?: string[] } {
  return drifted.length > 0 ? { remade: [...drifted] } : {}
}

/** What can be gone back to, what runs now among it. */
function releasesBefore({ previous, kept = [] }: PlanInput<ComposeSettings>): readonly ReleaseFacts[] {
  return previous ? [previous, ...kept] : kept
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
        ip: mustApply ? resultOf('up', 'addresses', name) : addressOf(found, name),
        ...(wants.probe ? { probe: wants.probe } : {}),
      }),
    ),
    ...goneRoutes.map(name => tell(`unroute:${name}`, routeRemove, { name })),
  ]
}

function watchTells({ input, wants, services, found, mustApply }: Decision): Tell[] {
  const mustRun = servicesThatMustRun(found.rendered)
  const watch = tell('watch', containerWatch, {
    app: input.app.name,
    containers: resultOf('verify', 'containers'),
    mayComplete: services.flatMap(({ name }) => (mustRun.includes(name) ? [] : [name])),
    forMs: wants.watchMs,
  })
  return mustApply && wants.watchMs > 0 ? [watch] : []
}

function pruneTells({ input, wants, services, found, builds, replaced }: Decision): Tell[] {
  const app = input.app.name
  const before = readRelease(input.previous)
  const images = [
    ...Object.values(builtImages(services)),
    ...namesOfImages(releasesBefore(input).flatMap(imagesOf)),
  ]
  const oldProject =
    before.project !== undefined && before.project !== wants.project ? before.project : undefined
  const prune = tell('prune', imagePrune, {
    app,
    keep: [...new Set(images)],
    keepLast: 0,
    buildCache: BUILD_CACHE,
  })
  const retire = tell('retire', composeRetire, {
    app,
    project: wants.project,
    services: hashesOf(services),
    drainMs: wants.drainMs,
    ...remade(found),
  })
  return [
    ...(replaced.length === 0 ? [] : [retire]),
    ...(oldProject === undefined
      ? []
      : [tell('down', composeDown, { app, project: oldProject, volumes: 'keep' as const })]),
    ...(builds.length === 0 ? [] : [prune]),
  ]
}
