import { composeRestore, composeStop } from '#commands/compose.ts'
import { routePoint, routeRemove } from '#commands/route.ts'
import type { Decision } from './compose-decision.ts'
import { releasedRender } from './compose-release.ts'
import type { WantedRoute } from './compose-wants.ts'
import { type Tell, tell } from './target.ts'

/** A release that served for a moment only has few requests to finish. */
const SHORT_DRAIN_MS = 1_000

/**
 * Back to the previous release. Requests go back first where its container still runs, so that nobody notices; where
 * it had to make room it is brought back before anything is sent to it. What a person has stopped is stopped again,
 * whatever it was made from: the next start makes it anew.
 */
export function undoTells(decision: Decision): Tell[] {
  const { input, wants, mustApply, routes, replaced } = decision
  const standsBy = ({ service }: WantedRoute) => replaced.includes(service)
  const changed = mustApply ? wants.routes.filter(route => standsBy(route) || routes.includes(route)) : routes
  const restored = () =>
    tell('undo', composeRestore, {
      app: input.app.name,
      project: wants.project,
      render: releasedRender(input.previous, wants.project) ?? null,
      drainMs: wants.watchMs > 0 ? wants.drainMs : Math.min(wants.drainMs, SHORT_DRAIN_MS),
      withinMs: wants.withinMs,
      settleMs: wants.settleMs,
      registries: input.registry ? [input.registry] : [],
    })
  const back = () => (input.isStopped ? tell('undo', composeStop, { app: input.app.name }) : restored())
  return [
    ...changed.filter(standsBy).map(route => wayBack(decision, route)),
    ...(mustApply ? [back()] : []),
    ...changed.filter(route => !standsBy(route)).map(route => wayBack(decision, route)),
  ]
}

/** Whatever the old container answers, it is what was there before. */
function wayBack({ found }: Decision, { name }: WantedRoute): Tell {
  const before = found.routes[name]
  return before?.ip && before.deployment
    ? tell(`undo-route:${name}`, routePoint, {
        name,
        hosts: [...before.hosts],
        port: before.port,
        ip: before.ip,
        deployment: before.deployment,
        probe: { expect: { from: 100, to: 599 } },
      })
    : tell(`undo-route:${name}`, routeRemove, { name })
}
