import { clampLimits } from './compose-limits.ts'
import { isDropped } from './compose-network.ts'
import type { ModelPath, RawFinding, Report } from './finding.ts'
import { createReport } from './finding.ts'
import type { HostRules, ProjectFacts } from './rule-context.ts'
import { isShape, type Shape, scalarText, shapeOf, shapesOf } from './shape.ts'

/** Labels that decide about routing, ownership or other tools. */
const RESERVED = [
  'traefik.',
  'caddy',
  'com.docker.compose.',
  'com.docker.stack.',
  'com.docker.swarm.',
  'io.fairlead.',
  'com.centurylinklabs.watchtower.',
]
/** Even a trusted file may not forge whose container it is. */
const ALWAYS_RESERVED = ['com.docker.compose.', 'io.fairlead.']
/** Only for people at their own machine, or decided by Fairlead: no part of what runs. */
const DROPPED = ['develop', 'pull_policy', 'profiles', 'attach', 'env_file', 'label_file']
const LOG_DRIVERS = ['json-file', 'local']
const LOG_OPTIONS = ['max-size', 'max-file', 'compress']

export interface Rewritten {
  readonly model: Shape
  readonly findings: readonly RawFinding[]
}

/** Compose's own JSON (allowed by the policy) with what the host adds and takes away; the same text for the same input. */
export function rewriteModel(
  model: Shape,
  given: { readonly rules: HostRules; readonly project: ProjectFacts },
): Rewritten {
  const report = createReport('enforce')
  const context = { ...given, report }
  const services = Object.entries(shapeOf(model.services)).map(([name, service]) => [
    name,
    rewriteService(context, name, shapeOf(service)),
  ])
  const resources = ['networks', 'volumes'].map(kind => [
    kind,
    Object.fromEntries(
      Object.entries(shapeOf(model[kind])).map(([name, value]) => {
        const { labels, ...rest } = shapeOf(value)
        return [name, { ...rest, labels: keptLabels(context, [kind, name, 'labels'], labels) }]
      }),
    ),
  ])
  return {
    model: withoutNothing({
      ...model,
      ...Object.fromEntries(resources),
      services: Object.fromEntries(services),
    }) as Shape,
    findings: report.findings,
  }
}

interface RewriteContext {
  readonly rules: HostRules
  readonly project: ProjectFacts
  readonly report: Report
}

function rewriteService(context: RewriteContext, name: string, service: Shape): Shape {
  const path = ['services', name]
  const plain: Record<string, unknown> = { ...service }
  for (const key of DROPPED) {
    delete plain[key]
  }
  plain.labels = keptLabels(context, [...path, 'labels'], service.labels)
  const deploy = shapeOf(service.deploy)
  if (deploy.labels !== undefined) {
    plain.deploy = { ...deploy, labels: keptLabels(context, [...path, 'deploy', 'labels'], deploy.labels) }
  }
  plain.ports = keptPorts(context, name, service)
  if (context.rules.mode === 'trusted') {
    return plain
  }
  dropContainerName(context, path, plain)
  plain.volumes = shapesOf(service.volumes).map(mount =>
    mount.type === 'bind'
      ? { ...mount, read_only: true, bind: { ...shapeOf(mount.bind), create_host_path: false } }
      : mount,
  )
  plain.security_opt = ['no-new-privileges:true']
  plain.logging = boundedLogging(context, path, service)
  return clampLimits(context.report, path, plain)
}

function keptLabels({ rules, report }: RewriteContext, path: ModelPath, labels: unknown): Shape {
  const reserved = rules.mode === 'trusted' ? ALWAYS_RESERVED : RESERVED
  const kept = Object.entries(shapeOf(labels)).filter(([key]) => {
    const taken = reserved.some(prefix => key.toLowerCase().startsWith(prefix))
    if (taken) {
      report.warn('POL060', path, {
        message: `"${key}" is managed by the platform and was removed.`,
        fix: 'Remove it; addresses come from the routes in the deploy file.',
      })
    }
    return !taken
  })
  return Object.fromEntries(kept)
}

/** The proxy reaches a routed port by itself; a host port nobody granted or nobody chose is not opened. */
function keptPorts(context: RewriteContext, name: string, service: Shape): readonly Shape[] {
  const { report } = context
  return shapesOf(service.ports).filter((port, index) => {
    const at = ['services', name, 'ports', index]
    const published = scalarText(port.published)
    if (published === undefined) {
      report.warn('POL022', at, {
        message: `container port ${port.target} has no host port of its own and was not published.`,
        fix: 'Use "expose" and a route, or name the host port.',
      })
      return false
    }
    if (isDropped(context, name, port)) {
      report.warn('POL022', at, {
        message: `host port ${published} was not published: the route leads to port ${port.target} of the service.`,
        fix: 'Use "expose" instead of "ports".',
      })
      return false
    }
    return true
  })
}

function dropContainerName(
  { report }: RewriteContext,
  path: ModelPath,
  service: Record<string, unknown>,
): void {
  if (scalarText(service.container_name) !== undefined) {
    report.warn('POL042', [...path, 'container_name'], {
      message: `"container_name: ${scalarText(service.container_name)}" was removed: another app may use it.`,
      fix: 'Remove it; services reach each other by service name.',
    })
    delete service.container_name
  }
}

function boundedLogging({ report }: RewriteContext, path: ModelPath, service: Shape): Shape {
  const { driver, options } = shapeOf(service.logging)
  const wanted = scalarText(driver) ?? 'json-file'
  const usable = LOG_DRIVERS.includes(wanted)
  if (!usable) {
    report.warn('POL091', [...path, 'logging'], {
      message: `logging driver "${wanted}" was replaced by "json-file".`,
      fix: 'Remove "logging": the log is kept on the host, at most 30 MB of it.',
    })
  }
  const own = usable ? Object.entries(shapeOf(options)).filter(([key]) => LOG_OPTIONS.includes(key)) : []
  return {
    driver: usable ? wanted : 'json-file',
    options: { 'max-size': '10m', 'max-file': '3', ...Object.fromEntries(own) },
  }
}

/** Without nulls and empty lists and mappings, so that the same wish is the same text. */
function withoutNothing(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(item => withoutNothing(item))
  }
  if (!isShape(value)) {
    return value
  }
  const entries = Object.entries(value).map(([key, item]) => [key, withoutNothing(item)] as const)
  return Object.fromEntries(
    entries.filter(([key, item]) => !isNothing(item) || (KEPT_EMPTY.has(key) && Array.isArray(item))),
  )
}

/** An empty command is not the same as none: it takes the image's own away. */
const KEPT_EMPTY = new Set(['command', 'entrypoint'])

function isNothing(value: unknown): boolean {
  return (
    value === null ||
    value === undefined ||
    (Array.isArray(value) ? value.length === 0 : isShape(value) && Object.keys(value).length === 0)
  )
}
