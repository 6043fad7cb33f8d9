import type { ModelPath, Report } from './finding.ts'
import { isShape, type Shape, shapeOf } from './shape.ts'

/** What Compose's own schema takes for a key. Whatever a rule does not expect to find there must not get past it. */
type Kind = 'a list' | 'a mapping' | 'a list or a mapping' | 'a text'

const LISTS = [
  ...['cap_add', 'cap_drop', 'devices', 'device_cgroup_rules', 'group_add', 'security_opt', 'volumes'],
  ...['ports', 'expose', 'secrets', 'configs', 'volumes_from', 'links', 'profiles', 'post_start', 'pre_stop'],
]
const MAPPINGS = ['deploy', 'logging', 'healthcheck', 'ulimits', 'blkio_config', 'storage_opt', 'develop']
const EITHER = ['environment', 'labels', 'sysctls', 'extra_hosts', 'networks', 'depends_on']
const TEXTS = [
  ...['image', 'hostname', 'container_name', 'network_mode', 'pid', 'ipc', 'uts', 'cgroup', 'userns_mode'],
  ...['cgroup_parent', 'runtime', 'isolation', 'platform'],
]
const BUILD_EITHER = ['args', 'labels', 'additional_contexts', 'ssh']
const BUILD_LISTS = ['secrets', 'entitlements', 'cache_from', 'cache_to']
const BUILD_TEXTS = ['context', 'dockerfile', 'dockerfile_inline', 'network', 'target']
const SECTIONS = ['services', 'networks', 'volumes', 'secrets', 'configs']

/** POL041: every value is of the kind that its key has, so that no rule overlooks one. */
export function checkKinds(report: Report, model: Shape): void {
  demand(report, [], model, { include: 'a list' })
  demand(report, [], model, ofAll(SECTIONS, 'a mapping'))
  for (const section of SECTIONS) {
    const entries = shapeOf(model[section])
    demand(report, [section], entries, ofAll(Object.keys(entries), 'a mapping'))
  }
  for (const [name, service] of Object.entries(shapeOf(model.services))) {
    const path = ['services', name]
    demand(report, path, shapeOf(service), ofService)
    const { build } = shapeOf(service)
    demand(report, [...path, 'build'], shapeOf(build), ofBuild)
  }
}

function ofAll(keys: readonly string[], kind: Kind): Readonly<Record<string, Kind>> {
  return Object.fromEntries(keys.map(key => [key, kind]))
}

const ofService = {
  ...ofAll(LISTS, 'a list'),
  ...ofAll(MAPPINGS, 'a mapping'),
  ...ofAll(EITHER, 'a list or a mapping'),
  ...ofAll(TEXTS, 'a text'),
}
const ofBuild = {
  ...ofAll(BUILD_EITHER, 'a list or a mapping'),
  ...ofAll(BUILD_LISTS, 'a list'),
  ...ofAll(BUILD_TEXTS, 'a text'),
}

function demand(report: Report, path: ModelPath, shape: Shape, kinds: Readonly<Record<string, Kind>>): void {
  for (const [key, value] of Object.entries(shape)) {
    const kind = Object.hasOwn(kinds, key) ? kinds[key] : undefined
    if (kind !== undefined && value !== null && value !== undefined && !isOf(kind, value)) {
      report.refuse('POL041', [...path, key], {
        message: `"${key}" must be ${kind}.`,
        fix: 'Write it as the Compose specification says.',
      })
    }
  }
}

function isOf(kind: Kind, value: unknown): boolean {
  switch (kind) {
    case 'a list':
      return Array.isArray(value)
    case 'a mapping':
      return isShape(value)
    case 'a list or a mapping':
      return Array.isArray(value) || isShape(value)
    default:
      return typeof value !== 'object'
  }
}
