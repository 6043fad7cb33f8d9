import { type Static, Type } from 'typebox'
import { asFairleadError } from '#lib/errors.ts'
import { randomText } from '#lib/id.ts'
import { type NameRoutes, takenPlace, withRoutes } from '#programs/caddy-config.ts'
import { caddyRoute, isAsWanted, REFRESH_MS, tokenOf, type WantedRoute } from '#programs/caddy-route.ts'
import { handsForCleanUp } from './clean-up.ts'
import { defineCommand, type EngineFacts, type Hands, type SwitchTarget } from './command.ts'
import { LABEL } from './container-data.ts'
import { containersOf } from './container-siblings.ts'
import { mustReach } from './engine-reach.ts'
import { changeProxy, proxyOf, readNameRoutes } from './proxy-config.ts'
import { Asked, Guarded, isExpected, Proof } from './route-data.ts'
import { DOMAIN_TAKEN, ROUTE_REFUSED } from './route-errors.ts'
import { gateOf } from './route-gate.ts'
import { proveRoute } from './route-proof.ts'
import { isContainerAddress } from './subnet.ts'

const strict = { additionalProperties: false } as const

const GO_BACK_MS = 20_000
const WITHIN_MS = 10_000
const CERTIFICATE_MS = 5_000

const DeploymentId = Type.String({ minLength: 1, maxLength: 64 })

export const PointData = Type.Object(
  {
    ...Asked,
    deployment: DeploymentId,
    /** Absent: everybody may visit it. */
    guard: Type.Optional(Guarded),
    /** Who came before stays with what serves now until it is removed: people may work with it. */
    holds: Type.Optional(Type.Boolean()),
  },
  strict,
)
export type PointData = Static<typeof PointData>

export const PointResult = Type.Object(
  {
    /** false: this deployment served already. */
    switched: Type.Boolean(),
    /** Deployment that served before. */
    previous: Type.Union([Type.String(), Type.Null()]),
    ...Proof,
  },
  strict,
)
export type PointResult = Static<typeof PointResult>

export const routePoint = defineCommand({
  name: 'route.point',
  summary: 'Leads host names to one container and proves that it answers through the proxy; else goes back.',
  role: 'worker',
  data: PointData,
  result: PointResult,
  deadlineMs: 660_000,
  lock: data => `route:${data.name}`,
  run: point,
})

async function point(hands: Hands, data: PointData): Promise<PointResult> {
  const { resolver } = proxyOf(hands)
  refuseForeignAddress(hands, data.ip)
  const { switchboard } = hands.host
  const reach = await mustReach(hands, data, 'a route')
  const slots = await switchboard.slots(data.name)
  const { engine } = hands.host
  const previous = switchboard.current(data.name)
  const before = await readNameRoutes(hands, data.name)
  const wanted: WantedRoute = {
    name: data.name,
    hosts: [...new Set(data.hosts)],
    ...(data.prefix === undefined ? {} : { prefix: data.prefix }),
    port: reach.port,
    slots: engine ? placesOf(engine) : slots,
    resolver,
    token: tokenOf(before.http) ?? randomText(24),
    ...(data.guard ? { guard: { address: gateOf(hands).address, ...data.guard } } : {}),
  }
  const target = {
    ip: data.ip,
    deployment: data.deployment,
    ...(engine ? { at: { ...reach, of: data.port } } : {}),
  }
  const holds = data.holds === true && previous !== undefined && (await runs(hands, data.name, previous))
  try {
    // Nobody is served yet: the address must be known before the first visitor can come.
    // Otherwise routes first: with a new port they wait for the new container, while an old route could not reach it.
    if (!previous) {
      await switchboard.point(data.name, target)
    }
    await ensureRoutes(hands, wanted, before)
    if (previous) {
      await switchboard.point(data.name, target, holds)
    }
    const proof = await proveRoute(hands, {
      hosts: wanted.hosts,
      upstream: `${reach.ip}:${reach.port}`,
      token: wanted.token,
      path: data.probe?.path ?? data.prefix ?? '/',
      isExpected: status => isExpected(data.probe?.expect, status),
      withinMs: data.probe?.withinMs ?? WITHIN_MS,
      certificateMs: CERTIFICATE_MS,
      proofs: 2,
    })
    return {
      switched: previous?.ip !== data.ip || previous.deployment !== data.deployment,
      previous: previous?.deployment ?? null,
      ...proof,
    }
  } catch (error) {
    await goBack(hands, { wanted, previous, before })
    throw error
  }
}

/** To one that sleeps or has ended nobody can be led any more. */
async function runs(hands: Hands, app: string, { deployment }: SwitchTarget): Promise<boolean> {
  const found = await containersOf(hands, app)
  return found.some(each => each.labels[LABEL.deployment] === deployment && each.state === 'running')
}

/** Asked when the switchboard does not answer. */
function placesOf({ publish }: EngineFacts): readonly [string, string] {
  const [one = '', other = one] = publish?.addresses ?? []
  return [one, other]
}

/** A manager must not lead visitors to the host itself, to its proxy's admin API or into other networks. */
function refuseForeignAddress(hands: Hands, ip: string): void {
  const { subnet } = hands.host.network
  if (!isContainerAddress(subnet, ip)) {
    throw ROUTE_REFUSED(ip, subnet)
  }
}

async function ensureRoutes(hands: Hands, wanted: WantedRoute, before: NameRoutes): Promise<void> {
  if (isAsWanted(before, wanted)) {
    return
  }
  const { name } = wanted
  await changeProxy(hands, config => {
    const taken = takenPlace(config, wanted)
    if (taken !== undefined) {
      throw DOMAIN_TAKEN(taken)
    }
    const routes = { http: caddyRoute(wanted, 'http'), https: caddyRoute(wanted, 'https') }
    return withRoutes(config, { name, routes, ports: proxyOf(hands) })
  })
}

interface Way {
  readonly wanted: WantedRoute
  readonly previous: SwitchTarget | undefined
  readonly before: NameRoutes
}

/** The switch first: it needs nobody's help, so it also works when the command is being cancelled. */
async function goBack(cancelled: Hands, { wanted, previous, before }: Way): Promise<void> {
  const hands = handsForCleanUp(cancelled, GO_BACK_MS)
  const { name } = wanted
  try {
    await (previous ? hands.host.switchboard.point(name, previous) : hands.host.switchboard.forget(name))
    if (!isAsWanted(before, wanted)) {
      await changeProxy(hands, config => withRoutes(config, { name, routes: before, ports: proxyOf(hands) }))
    }
    // From then on the proxy sends nobody to the container that failed, and it can be stopped.
    await hands.clock.sleep(2 * REFRESH_MS)
  } catch (error) {
    hands.say(
      `The way back to what served before is not complete: ${asFairleadError(error).message}`,
      'stderr',
    )
  }
}
