import { checkOwnName } from './compose-mounts.ts'
import type { ModelPath } from './finding.ts'
import type { RuleContext } from './rule-context.ts'
import { isOn, listOf, type Shape, scalarText, shapeOf, shapesOf } from './shape.ts'

/** POL020, POL021: only host ports that the host's owner granted; a routed port needs none. */
export function checkPorts(context: RuleContext, service: readonly [string, Shape]): void {
  const [name, shape] = service
  for (const [index, entry] of shapesOf(shape.ports).entries()) {
    const at = ['services', name, 'ports', index]
    const published = scalarText(entry.published)
    const isHostMode = scalarText(entry.mode) === 'host' && !context.project.isStack
    if (isHostMode || (published && !/^\d+$/.test(published))) {
      context.report.deny('POL021', at, {
        message: `"${published ?? 'mode: host'}" is not one host port.`,
        fix: 'Name each host port by itself, without "mode: host".',
      })
    } else if (published && !mayPublish(context, Number(published)) && !isDropped(context, name, entry)) {
      const isNever = context.rules.ports.never.includes(Number(published))
      context.report[isNever ? 'refuse' : 'deny']('POL020', at, {
        message: `host port ${published} is not granted to this stack.`,
        fix: `Use "expose" and a route, or one of your ports ${context.rules.ports.from}-${context.rules.ports.to}.`,
      })
    }
  }
}

/** A host port that only serves a route is not published at all, unless the host grants it or trusts its files. */
export function isDropped(
  context: Pick<RuleContext, 'project' | 'rules'>,
  service: string,
  port: Shape,
): boolean {
  const published = Number(port.published)
  return (
    context.rules.mode !== 'trusted' && isRouted(context, service, port) && !mayPublish(context, published)
  )
}

function mayPublish({ rules: { ports } }: Pick<RuleContext, 'rules'>, port: number): boolean {
  return port >= ports.from && port <= ports.to && !ports.never.includes(port)
}

/** Does the proxy reach this container port? */
function isRouted({ project }: Pick<RuleContext, 'project'>, service: string, port: Shape): boolean {
  return project.routes.some(
    route =>
      route.service === service &&
      route.port === Number(port.target) &&
      (scalarText(port.protocol) ?? 'tcp') === 'tcp',
  )
}

/** POL050, POL053: networks are plain bridges of this app. */
export function checkNetworks({ report, project }: RuleContext, model: Shape): void {
  for (const [name, value] of Object.entries(shapeOf(model.networks))) {
    const network = shapeOf(value)
    checkOwnName({ report, project }, ['networks', name], network)
    const driver = scalarText(network.driver)
    const asked: readonly (readonly [string, boolean])[] = [
      ['driver', driver !== undefined && !['bridge', 'overlay', 'default', ''].includes(driver)],
      ['driver_opts', Object.keys(shapeOf(network.driver_opts)).length > 0],
      ['ipam', Object.values(shapeOf(network.ipam)).some(isFilled)],
      ['attachable', isOn(network.attachable)],
      ['enable_ipv6', isOn(network.enable_ipv6)],
    ]
    for (const [key] of asked.filter(([, asks]) => asks)) {
      report.deny('POL053', ['networks', name, key], {
        message: `"${key}" may collide with other networks of this host and is not allowed.`,
        fix: 'Remove it: the app gets a bridge network of its own.',
      })
    }
  }
}

/** POL005: a service that the proxy shall reach is one container with networks of its own. */
export function checkRoutes({ report, project }: RuleContext, model: Shape): void {
  for (const { service: name } of project.routes) {
    const service = shapeOf(model.services)[name]
    const path: ModelPath = ['services', name]
    if (service === undefined) {
      report.refuse('POL080', path, {
        message: `there is no service "${name}", but a route leads to it.`,
        fix: `Name one of: ${Object.keys(shapeOf(model.services)).join(', ') || 'none'}.`,
      })
      continue
    }
    if (scalarText(shapeOf(service).network_mode)) {
      report.refuse('POL080', [...path, 'network_mode'], {
        message: 'a service with a route cannot have a "network_mode".',
        fix: 'Remove "network_mode", or lead the route to another service.',
      })
    }
    if (replicasOf(shapeOf(service)) !== 1) {
      report.refuse('POL080', [...path, 'deploy', 'replicas'], {
        message: 'a service with a route runs exactly one container.',
        fix: 'Set "replicas: 1", or put a service that balances in front of it.',
      })
    }
  }
}

export function replicasOf(service: Shape): number {
  const wanted = shapeOf(service.deploy).replicas ?? service.scale
  return wanted === undefined || wanted === null ? 1 : Number(wanted)
}

function isFilled(value: unknown): boolean {
  return typeof value === 'string' ? value !== '' && value !== 'default' : listOf(value).length > 0
}
