import { type Static, Type } from 'typebox'
import type { CaddyRoute } from '#programs/caddy.ts'
import { routesOf, withRoutes } from '#programs/caddy-config.ts'
import { readGuard } from '#programs/caddy-gate.ts'
import { readWanted } from '#programs/caddy-route.ts'
import { defineCommand, type Gate, type SwitchTarget } from './command.ts'
import { changeProxy, proxyOf, readNameRoutes } from './proxy-config.ts'
import { RouteName } from './route-name.ts'

export { routeAdmit } from './route-admit.ts'
export { routePoint } from './route-point.ts'
export { routeVerify } from './route-verify.ts'

const strict = { additionalProperties: false } as const

const ObserveResult = Type.Object(
  {
    routes: Type.Record(
      Type.String(),
      Type.Union([
        Type.Null(),
        Type.Object(
          {
            hosts: Type.Array(Type.String()),
            /** Absent: it has its hosts for itself. */
            prefix: Type.Optional(Type.String()),
            port: Type.Integer(),
            /** Absent when the switchboard does not know the name. */
            ip: Type.Optional(Type.String()),
            deployment: Type.Optional(Type.String()),
            /** Absent: everybody may visit it. */
            guard: Type.Optional(
              Type.Object(
                {
                  login: Type.Optional(Type.String()),
                  /** The gate of this worker is asked. */
                  isOurs: Type.Boolean(),
                },
                strict,
              ),
            ),
          },
          strict,
        ),
      ]),
    ),
  },
  strict,
)

export const routeObserve = defineCommand({
  name: 'route.observe',
  summary: 'Tells for each name which hosts lead to it and which container serves it now.',
  role: 'worker',
  looksOnly: true,
  data: Type.Object({ names: Type.Array(RouteName, { maxItems: 1_000 }) }, strict),
  result: ObserveResult,
  deadlineMs: 60_000,
  async run(hands, { names }) {
    const routes: Static<typeof ObserveResult>['routes'] = {}
    for (const name of names) {
      const { http } = await readNameRoutes(hands, name)
      routes[name] = http ? seenRoute(http, hands.host.switchboard.current(name), hands.host.gate) : null
    }
    return { routes }
  },
})

type Observed = NonNullable<Static<typeof ObserveResult>['routes'][string]>

/** With the port of the container, also where the proxy goes to a published one. */
function seenRoute(http: CaddyRoute, target: SwitchTarget | undefined, gate: Gate | undefined): Observed {
  const { port, ...places } = readWanted(http)
  const { at, ...current } = target ?? {}
  const { address, login } = readGuard(http) ?? {}
  const said = login === undefined ? {} : { login }
  return {
    ...{ ...places, port: at?.port === port ? at.of : port, ...current },
    ...(address === undefined ? {} : { guard: { ...said, isOurs: address === gate?.address } }),
  }
}

export const routeRemove = defineCommand({
  name: 'route.remove',
  summary: 'Takes a name out of the proxy; its hosts answer 404 from then on.',
  role: 'worker',
  engineFree: true,
  data: Type.Object({ name: RouteName }, strict),
  result: Type.Object({ removed: Type.Boolean() }, strict),
  deadlineMs: 60_000,
  lock: data => `route:${data.name}`,
  async run(hands, { name }) {
    let removed = false
    if (!hands.host.proxy) {
      await hands.host.switchboard.forget(name)
      return { removed }
    }
    await changeProxy(hands, config => {
      const { http, https } = routesOf(config, name)
      removed = Boolean(http ?? https)
      const none = { http: undefined, https: undefined }
      return removed ? withRoutes(config, { name, routes: none, ports: proxyOf(hands) }) : config
    })
    await hands.host.switchboard.forget(name)
    hands.host.gate?.forget(name)
    return { removed }
  },
})
