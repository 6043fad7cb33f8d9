import { isDeepStrictEqual } from 'node:util'
import { addressOf, type Found, foundOf, type ServiceState, serviceStates } from './compose-found.ts'
import { readRelease, releasedRender } from './compose-release.ts'
import type { ComposeSettings } from './compose-settings.ts'
import { type ComposeWants, type WantedRoute, wantsOf } from './compose-wants.ts'
import { type FollowedTags, followedTags } from './followed-tags.ts'
import type { PlanInput } from './target.ts'

/** All that the lists of the plan are made from. */
export interface Decision {
  readonly input: PlanInput<ComposeSettings>
  readonly wants: ComposeWants
  readonly found: Found
  readonly services: readonly ServiceState[]
  readonly builds: readonly ServiceState[]
  readonly pushes: readonly ServiceState[]
  readonly mustApply: boolean
  /** Services with containers that stand by until the release serves, and services that nobody wants any more. */
  readonly replaced: readonly string[]
  /** Routes that lead elsewhere now, or nowhere, or to a service that does not answer. */
  readonly routes: readonly WantedRoute[]
  /** Names of routes that nobody wants any more. */
  readonly goneRoutes: readonly string[]
  /** Tags that are looked at again and again. */
  readonly followed: FollowedTags | undefined
}

/** What has to be done to what the worker found. */
export function decide(input: PlanInput<ComposeSettings>): Decision {
  const wants = wantsOf(input)
  const found = foundOf(input.found, input.goal, input)
  const services = serviceStates(found)
  const wanted = new Set(services.map(each => each.name))
  const orphans = found.containers.filter(each => !wanted.has(each.service))
  const isMisplaced = found.rendered.routes.some(route =>
    services
      .filter(each => each.name === route.service)
      .some(({ current }) => current.some(each => !route.slots.includes(each.ip ?? ''))),
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
  const followed = input.goal ? readRelease(input.goal).followed : followedTags(input.settings, services)
  const mustApply =
    found.isAnew ||
    orphans.length > 0 ||
    services.some(each => each.outdated.length > 0) ||
    isMisplaced ||
    services.some(each => each.state !== 'as-wanted') ||
    releasedRender(input.previous, wants.project) === undefined ||
    // Nothing is touched, but only a release says what is followed.
    (!input.goal && !isDeepStrictEqual(readRelease(input.previous).followed, followed))
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
    replaced: [
      ...new Set([
        ...services.flatMap(each => (standsBy(each) ? [each.name] : [])),
        ...orphans.map(each => each.service),
      ]),
    ],
    routes: wants.routes.filter(
      route => !leadsThere(found, route) || input.drifted?.routes.includes(route.name),
    ),
    followed,
    goneRoutes: (readRelease(input.previous).routes ?? []).filter(
      name => !names.has(name) && found.routes[name],
    ),
  }
}

/** The old container is there until the new one serves, or an earlier deployment ended before it was removed. */
function standsBy({ isBeside, state, outdated }: ServiceState): boolean {
  return isBeside || (outdated.length > 0 && (state === 'as-wanted' || state === 'dependency-changed'))
}

/** What runs is what is wanted, as far as the answers so far tell. */
export function isSettled({ mustApply, pushes, routes, goneRoutes }: Decision): boolean {
  return !mustApply && pushes.length === 0 && routes.length === 0 && goneRoutes.length === 0
}

function leadsThere(found: Found, { name, hosts, port }: WantedRoute): boolean {
  const route = found.routes[name]
  return (
    found.faults[name] === undefined &&
    route !== null &&
    route !== undefined &&
    isDeepStrictEqual([...route.hosts].sort(), [...hosts].sort()) &&
    route.port === port &&
    route.ip === addressOf(found, name)
  )
}
