import { routeNameOf } from '#commands/compose-data.ts'
import { LONGEST_WATCH_MS } from '#commands/container-watch.ts'
import type { Probe } from '#commands/route-data.ts'
import { defaultRoutes } from './compose-default-routes.ts'
import { durationOf, environmentOf, type WantedEnvironment } from './compose-environment.ts'
import { COMPOSE_SETTINGS_WRONG } from './compose-errors.ts'
import type { ComposeSettings } from './compose-settings.ts'
import type { AppFacts, LookInput, RegistryFacts } from './target.ts'
import { probeOf, readyPathOf } from './verify-settings.ts'

const LONGEST_WITHIN_MS = 30 * 60_000
const DEFAULT_SETTLE_MS = 2_000
const LONGEST_DRAIN_MS = 10 * 60_000

/** The settings with everything filled in: what the plan works with. */
export interface ComposeWants extends WantedEnvironment {
  readonly project: string
  readonly files: readonly string[]
  readonly routes: readonly WantedRoute[]
  readonly registry: RegistryFacts | undefined
  /** How routed services are asked through the proxy. */
  readonly probe: Probe | undefined
  /** How they are asked whether they are ready. */
  readonly readyPath: string | undefined
  readonly withinMs: number
  /** How long a service that can be asked nothing must run before it counts. */
  readonly settleMs: number
  /** Volumes, or paths in containers, that old and new container may write to at once. */
  readonly sharedVolumes: readonly string[]
  /** Time for requests that the old container is still answering. */
  readonly drainMs: number
  /** How long the release is watched once it serves. */
  readonly watchMs: number
}

export interface WantedRoute {
  readonly service: string
  readonly port: number
  /** `<service>.<app>`, by which the proxy knows it. */
  readonly name: string
  readonly hosts: readonly string[]
}

/** What the settings come to for one app and commit; throws when they contradict each other or a secret has no value. */
export function wantsOf(input: LookInput<ComposeSettings>): ComposeWants {
  const { app, settings, source, registry } = input
  const files = filesOf(settings)
  const watchMs = durationOf('verify.settle', settings.verify?.settle ?? '0s', LONGEST_WATCH_MS)
  return {
    project: settings.project ?? app.name,
    files,
    ...environmentOf(input),
    routes: routesOf(settings.routes ?? defaultRoutes(files, source.texts), app),
    registry: settings.push === false ? undefined : registry,
    probe: probeOf(settings.verify),
    readyPath: readyPathOf(settings.verify),
    withinMs: durationOf('verify.within', settings.verify?.within ?? '2m', LONGEST_WITHIN_MS),
    settleMs: Math.min(
      DEFAULT_SETTLE_MS,
      settings.verify?.settle === undefined ? DEFAULT_SETTLE_MS : watchMs,
    ),
    watchMs,
    sharedVolumes: settings.shared_volumes ?? [],
    drainMs: durationOf('drain', settings.drain ?? '5s', LONGEST_DRAIN_MS),
  }
}

export function filesOf(settings: ComposeSettings): readonly string[] {
  return settings.files ?? ['compose.yaml']
}

/** Every domain the app wants. Without written routes there may be one, so its default name is claimed. */
export function domainsOf(settings: ComposeSettings, app: AppFacts): readonly string[] {
  const routes = settings.routes ?? [{ service: 'the-first', port: 80 }]
  return [...new Set(routesOf(routes, app).flatMap(route => route.hosts))]
}

/** The first route without a domain gets the app's own name, further ones theirs before it. */
function routesOf(routes: NonNullable<ComposeSettings['routes']>, app: AppFacts): WantedRoute[] {
  const twice = routes.find(
    (route, index) => routes.findIndex(each => each.service === route.service) !== index,
  )
  if (twice) {
    throw COMPOSE_SETTINGS_WRONG(
      'routes',
      `two of them lead to the service "${twice.service}"; write its "domains" as a list`,
    )
  }
  const first = routes.find(route => hostsWritten(route).length === 0)
  return routes.map(route => {
    const { service, port } = route
    const own =
      route === first ? app.name : `${service.toLowerCase().replace(/[^a-z0-9]+/g, '-')}-${app.name}`
    const written = hostsWritten(route)
    return {
      service,
      port,
      name: routeNameOf(service, app.name),
      hosts: written.length > 0 ? written : [`${own}.${app.baseDomain}`],
    }
  })
}

function hostsWritten(route: NonNullable<ComposeSettings['routes']>[number]): string[] {
  const written = [...(route.domain ? [route.domain] : []), ...(route.domains ?? [])]
  return [...new Set(written.map(domain => domain.toLowerCase()))]
}
