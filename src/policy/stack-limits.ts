import type { ModelPath, Report } from './finding.ts'
import { type Shape, scalarText, shapeOf } from './shape.ts'

const MODES = ['replicated', 'global']

export interface Deploying {
  readonly service: Shape
  /** Old and new task cannot run at once: both want the same host port or write to the same volume. */
  readonly isAlone: boolean
}

/**
 * `deploy` of a service, with the keys that stand beside it for Compose. Where the file says nothing, an update is
 * gated by health: the new task first, and back to the old ones when it fails.
 */
export function stackDeployOf(report: Report, path: ModelPath, { service, isAlone }: Deploying): Shape {
  const deploy = shapeOf(service.deploy)
  const mode = scalarText(deploy.mode) ?? 'replicated'
  if (!MODES.includes(mode)) {
    report.refuse('POL110', [...path, 'deploy', 'mode'], {
      message: `a service of a stack cannot be of the mode "${mode}".`,
      fix: 'Use "replicated" or "global".',
    })
  }
  const order = isAlone ? 'stop-first' : 'start-first'
  const { labels: _, resources: __, restart_policy: ___, ...rest } = deploy
  return {
    ...rest,
    ...(mode === 'global' ? {} : { replicas: Number(deploy.replicas ?? service.scale ?? 1) }),
    ...labelsOf(shapeOf(deploy.labels)),
    update_config: { order, failure_action: 'rollback', monitor: '5s', ...shapeOf(deploy.update_config) },
    rollback_config: { order, ...shapeOf(deploy.rollback_config) },
    ...resourcesOf(service),
    ...restartOf(service),
  }
}

/** Ours are added later, and nobody else writes them. */
function labelsOf(labels: Shape): { labels?: Shape } {
  const kept = Object.entries(labels).filter(([key]) => !/^(?:io\.fairlead|com\.docker)\./i.test(key))
  return kept.length === 0 ? {} : { labels: Object.fromEntries(kept) }
}

function resourcesOf(service: Shape): { resources?: Shape } {
  const { limits, reservations } = shapeOf(shapeOf(service.deploy).resources)
  const both = {
    limits: texts({
      ...{ memory: service.mem_limit, cpus: service.cpus, pids: service.pids_limit },
      ...shapeOf(limits),
    }),
    reservations: texts({ memory: service.mem_reservation, ...shapeOf(reservations) }),
  }
  const kept = Object.entries(both).filter(([, each]) => Object.keys(each).length > 0)
  return kept.length === 0 ? {} : { resources: Object.fromEntries(kept) }
}

/** Swarm wants texts, but for the number of processes. */
function texts(amounts: Shape): Shape {
  return Object.fromEntries(
    Object.entries(amounts).flatMap(([key, value]) =>
      value === undefined || value === null ? [] : [[key, key === 'pids' ? Number(value) : String(value)]],
    ),
  )
}

/** `restart` of Compose, unless the file says what Swarm itself wants to know. */
function restartOf(service: Shape): { restart_policy?: Shape } {
  const written = shapeOf(service.deploy).restart_policy
  if (written !== undefined) {
    return { restart_policy: shapeOf(written) }
  }
  const [condition, most] = (scalarText(service.restart) ?? '').split(':')
  switch (condition) {
    case 'no':
      return { restart_policy: { condition: 'none' } }
    case 'on-failure':
      return {
        restart_policy: { condition: 'on-failure', ...(most ? { max_attempts: Number(most) } : {}) },
      }
    default:
      return {}
  }
}
