import { containerObserve, containerRemove } from '#commands/container.ts'
import { containerUsage } from '#commands/container-usage.ts'
import { imageContent, imageFind, imagePrune } from '#commands/image.ts'
import { routeObserve, routeRemove } from '#commands/route.ts'
import { exposedPort } from '#programs/dockerfile.ts'
import { dockerfileOf } from './build-settings.ts'
import { planContainer } from './container-plan.ts'
import { proofTells } from './container-proof.ts'
import { imagesOf, releasedHosts, releasedImageOf } from './container-release.ts'
import { ContainerSettings } from './container-settings.ts'
import { domainsOf, isPublishedOnly, wantsOf } from './container-wants.ts'
import { openingsOf } from './published.ts'
import { defineTarget, type LookInput, type SourceFacts, type Target, type Tell, tell } from './target.ts'

/** For requests that are still being answered when an app has moved. */
const DRAIN_MS = 5_000

export const container: Target = defineTarget({
  name: 'container',
  summary: 'Builds a Dockerfile and runs it as one container behind the proxy, replaced without a gap.',
  settings: ContainerSettings,
  detect,
  reads: settings => [dockerfileOf(settings)],
  domains: domainsOf,
  opens: ({ ports = [] }) => openingsOf(ports.map(each => ({ ...each, port: each.host }))),
  settle,
  images: imagesOf,
  usage: containerUsage.name,
  look,
  plan: planContainer,
  stop: app => [
    tell('containers', containerRemove, { app: app.name, keep: [], drainMs: 0 }),
    tell('route', routeRemove, { name: app.name }),
  ],
  // The route last: it gives the app's addresses back, which must not be in use by then.
  remove: ({ app, volumes, moved }) => [
    tell('containers', containerRemove, { app: app.name, keep: [], drainMs: moved ? DRAIN_MS : 0, volumes }),
    tell('images', imagePrune, { app: app.name, keep: [], keepLast: 0 }),
    ...(moved ? [] : [tell('route', routeRemove, { name: app.name })]),
  ],
})

function detect(source: SourceFacts, composePath?: string): ContainerSettings | undefined {
  if (composePath !== undefined || !source.paths.includes('Dockerfile')) {
    return undefined
  }
  const port = exposedPort(source.texts.Dockerfile ?? '')
  return port === undefined ? {} : { port }
}

/** With the port of the Dockerfile; an app that had no route because it only publishes ports must not get one by that. */
function settle(settings: ContainerSettings, source: SourceFacts): ContainerSettings {
  const port = settings.port ?? exposedPort(source.texts[dockerfileOf(settings)] ?? '')
  return {
    ...settings,
    ...(port === undefined ? {} : { port }),
    ...(isPublishedOnly(settings) ? { domains: [] } : {}),
  }
}

/** Everything is asked at once: the images by their content, the containers, and the route; then whether it answers. */
function look(input: LookInput<ContainerSettings>): readonly Tell[] {
  const { app } = input
  const { hosts, run } = wantsOf(input)
  const ready = { health: run.health, ...(run.port === undefined ? {} : { port: run.port }) }
  // A host without a proxy cannot be asked for routes, and need not be when there was and will be none.
  const isRouted = hosts.length > 0 || releasedHosts(input.previous).length > 0
  const proof = input.found.containers ? proofTells(input) : []
  return [
    imageTell(input),
    tell('containers', containerObserve, { app: app.name, ...ready }),
    ...(isRouted ? [tell('routes', routeObserve, { names: [app.name] })] : []),
    ...proof,
  ]
}

/** The image by the content of the source, or the very image of an earlier release. */
function imageTell(input: LookInput<ContainerSettings>): Tell {
  const { app, source, registry, goal } = input
  if (goal) {
    return tell('image', imageFind, { images: [releasedImageOf(input, goal)] })
  }
  const { image } = wantsOf(input)
  return tell('content', imageContent, {
    repository: source.repository,
    commit: source.commit,
    images: [
      { key: app.name, ...image, secretNames: [...image.secretNames], ...(registry ? { registry } : {}) },
    ],
  })
}
