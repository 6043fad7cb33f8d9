import type { ModelPath, Report } from './finding.ts'
import { type Shape, scalarText, shapeOf } from './shape.ts'

const GIB = 1024 ** 3

/** No service may take the whole host, by mistake or on purpose. */
const LIMITS = { memory: 64 * GIB, cpus: 64, pids: 4096 } as const
const MEMORY_KEYS = ['mem_limit', 'memswap_limit', 'mem_reservation', 'shm_size'] as const

/** The service with its limits cut to those of the host and a bound on its processes. Values are those of Compose's own JSON. */
export function clampLimits(report: Report, path: ModelPath, service: Shape): Shape {
  const limited: Record<string, unknown> = { ...service }
  const cut = (at: ModelPath, value: unknown, most: number): unknown => clamp(report, at, [value, most])
  for (const key of MEMORY_KEYS) {
    if (limited[key] !== undefined) {
      limited[key] = cut([...path, key], limited[key], LIMITS.memory)
    }
  }
  if (limited.cpus !== undefined) {
    limited.cpus = cut([...path, 'cpus'], limited.cpus, LIMITS.cpus)
  }
  const processes = service.pids_limit ?? LIMITS.pids
  const deploy = shapeOf(service.deploy)
  const resources = shapeOf(deploy.resources)
  const limits = shapeOf(resources.limits)
  const at = [...path, 'deploy', 'resources', 'limits']
  const bounded = {
    ...limits,
    ...(limits.memory === undefined ? {} : { memory: cut([...at, 'memory'], limits.memory, LIMITS.memory) }),
    ...(limits.cpus === undefined ? {} : { cpus: cut([...at, 'cpus'], limits.cpus, LIMITS.cpus) }),
  }
  // Compose refuses it at both places with different values, and takes limits without it for another value.
  if (Object.keys(limits).length > 0) {
    const pids = cut([...at, 'pids'], limits.pids ?? processes, LIMITS.pids)
    limited.deploy = { ...deploy, resources: { ...resources, limits: { ...bounded, pids } } }
    delete limited.pids_limit
  } else {
    limited.pids_limit = cut([...path, 'pids_limit'], processes, LIMITS.pids)
  }
  return limited
}

/** 0 and below mean "no limit" to Docker, so they are cut too. */
function clamp(report: Report, at: ModelPath, [value, most]: readonly [unknown, number]): unknown {
  const number = Number(scalarText(value))
  if (number > 0 && number <= most) {
    return value
  }
  report.warn('POL082', at, {
    message: `${scalarText(value) ?? 'this'} was cut to ${most}, the most a service may have here.`,
    fix: 'Set a smaller limit.',
  })
  return typeof value === 'string' ? String(most) : most
}
