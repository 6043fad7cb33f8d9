import { isInternalHost } from '#lib/internal-host.ts'
import { overlaps, type Places, placesAt } from '#lib/place.ts'
import type { CaddyConfig, CaddyRoute, CaddyServer, CaddyTlsPolicy } from './caddy.ts'
import { isMoved, movedId } from './caddy-moved.ts'
import { hostsOf, nameOfRoute, routeId, SCHEMES, type Scheme, seenPlaces } from './caddy-route.ts'

const SERVERS = { http: 'fairlead', https: 'fairlead_tls' } as const
const INTERNAL_POLICY = 'fairlead-internal'
const NOT_FOUND = 'not-found'

export interface ProxyPorts {
  readonly httpPort: number
  readonly httpsPort: number
}

/** A name's route in each server; undefined where there is none. */
export type NameRoutes = Readonly<Record<Scheme, CaddyRoute | undefined>>

export function routesOf(config: CaddyConfig, name: string): NameRoutes {
  const found = (scheme: Scheme) =>
    config.apps?.http?.servers?.[SERVERS[scheme]]?.routes?.find(
      route => route['@id'] === routeId(name, scheme),
    )
  return { http: found('http'), https: found('https') }
}

/** The ports on which its servers listen, of Fairlead and of anybody else. */
export function listenedOn({ apps }: CaddyConfig): ReadonlySet<number> {
  const listened = Object.values(apps?.http?.servers ?? {}).flatMap(({ listen = [] }) => listen)
  return new Set(listened.map(place => Number(/:(\d+)$/.exec(place)?.[1])))
}

/** The first of the places that a route of something else answers for already, all or in part. */
export function takenPlace(
  config: CaddyConfig,
  { name, ...places }: Places & { readonly name: string },
): string | undefined {
  const others = SCHEMES.flatMap(scheme => config.apps?.http?.servers?.[SERVERS[scheme]]?.routes ?? [])
    .filter(route => nameOfRoute(route) !== name && !isMoved(route))
    .flatMap(seenPlaces)
  return placesAt(places).find(place => others.some(other => overlaps(place, other)))
}

interface NamedRoutes {
  readonly name: string
  readonly routes: NameRoutes
  readonly ports: ProxyPorts
}

/**
 * The configuration with exactly these routes for the name (undefined takes one away), in servers that are made
 * when they are missing, and with the internal authority in charge of exactly the internal hosts.
 */
export function withRoutes(config: CaddyConfig, named: NamedRoutes): CaddyConfig {
  return edited(config, named, routeId)
}

/** The same for the routes that lead away from where the name was found. */
export function withMoved(config: CaddyConfig, named: NamedRoutes): CaddyConfig {
  return edited(config, named, movedId)
}

function edited(
  config: CaddyConfig,
  { name, routes, ports }: NamedRoutes,
  idOf: (name: string, scheme: Scheme) => string,
): CaddyConfig {
  const draft = structuredClone(config)
  for (const scheme of SCHEMES) {
    // Nothing is made only to take something away from it.
    if (routes[scheme] || draft.apps?.http?.servers?.[SERVERS[scheme]]) {
      const server = serverOf(draft, scheme, ports)
      putRoute(server, idOf(name, scheme), routes[scheme])
      endMoves(server, routes[scheme])
    }
  }
  setInternalHosts(draft)
  return draft
}

/** Nobody is led away from where something is found now. */
function endMoves(server: CaddyServer, route: CaddyRoute | undefined): void {
  const places = route ? seenPlaces(route) : []
  const isInTheWay = (other: CaddyRoute) =>
    isMoved(other) &&
    other !== route &&
    seenPlaces(other).some(each => places.some(place => overlaps(each, place)))
  if (server.routes?.some(isInTheWay)) {
    server.routes = server.routes.filter(other => !isInTheWay(other))
  }
}

function serverOf(draft: CaddyConfig, scheme: Scheme, ports: ProxyPorts): CaddyServer {
  draft.apps ??= {}
  draft.apps.http ??= { http_port: ports.httpPort, https_port: ports.httpsPort }
  draft.apps.http.servers ??= {}
  const servers = draft.apps.http.servers
  const server = servers[SERVERS[scheme]]
  if (server) {
    return server
  }
  const made = scheme === 'http' ? plainServer(ports.httpPort) : tlsServer(ports.httpsPort)
  servers[SERVERS[scheme]] = made
  if (scheme === 'https') {
    keepAuthorityOutOfTrustStore(draft.apps)
  }
  return made
}

function plainServer(port: number): CaddyServer {
  return { listen: [`:${port}`], routes: [notFound()], automatic_https: { disable: true } }
}

function tlsServer(port: number): CaddyServer {
  return {
    listen: [`:${port}`],
    routes: [notFound()],
    automatic_https: { disable_redirects: true },
    protocols: ['h1', 'h2'],
    tls_connection_policies: [{}],
  }
}

/** Caddy would ask for a password to install its own authority into the machine's trust store. */
function keepAuthorityOutOfTrustStore(apps: NonNullable<CaddyConfig['apps']>): void {
  apps.pki ??= {}
  apps.pki.certificate_authorities ??= {}
  apps.pki.certificate_authorities.local ??= { install_trust: false }
}

/** The last route of a server: without it Caddy answers an unknown host with an empty 200. */
function notFound(): CaddyRoute {
  return {
    '@id': NOT_FOUND,
    handle: [{ handler: 'static_response', status_code: 404, body: 'Nothing is deployed here.\n' }],
  }
}

/** In its place when it is there, else before the first route that takes every host. */
function putRoute(server: CaddyServer, id: string, route: CaddyRoute | undefined): void {
  server.routes ??= [notFound()]
  const routes = server.routes
  const at = routes.findIndex(other => other['@id'] === id)
  if (at >= 0) {
    routes.splice(at, 1, ...(route ? [route] : []))
    return
  }
  if (route) {
    const end = routes.findIndex(other => hostsOf(other).length === 0)
    routes.splice(end >= 0 ? end : routes.length, 0, route)
  }
}

function setInternalHosts(draft: CaddyConfig): void {
  const hosts = (draft.apps?.http?.servers?.[SERVERS.https]?.routes ?? [])
    .filter(route => nameOfRoute(route) !== undefined || isMoved(route))
    .flatMap(hostsOf)
  const subjects = [...new Set(hosts.filter(isInternalHost))].sort()
  const tls = draft.apps?.tls
  const others = (tls?.automation?.policies ?? []).filter(policy => policy['@id'] !== INTERNAL_POLICY)
  if (subjects.length === 0 && others.length === (tls?.automation?.policies ?? []).length) {
    return
  }
  // A policy without subjects would hold for every host. The first policy that fits a host counts.
  const ours: CaddyTlsPolicy[] =
    subjects.length > 0 ? [{ '@id': INTERNAL_POLICY, subjects, issuers: [{ module: 'internal' }] }] : []
  draft.apps = {
    ...draft.apps,
    tls: { ...tls, automation: { ...tls?.automation, policies: [...ours, ...others] } },
  }
}
