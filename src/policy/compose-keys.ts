import type { ModelPath, Report } from './finding.ts'
import { isShape, type Shape, shapeOf, shapesOf } from './shape.ts'

/** Keys a file may use. What is not here is denied by construction, so a new key of Compose is too. */
const TOP = ['name', 'version', 'services', 'networks', 'volumes', 'secrets', 'configs', 'include']

const SERVICE = [
  // What runs
  ...[
    'image',
    'build',
    'command',
    'entrypoint',
    'environment',
    'env_file',
    'working_dir',
    'user',
    'init',
    'tty',
  ],
  ...['stdin_open', 'hostname', 'container_name', 'labels', 'label_file', 'platform', 'pull_policy'],
  ...['profiles', 'extends', 'develop', 'attach'],
  // How it starts, stops and is watched
  ...[
    'restart',
    'healthcheck',
    'depends_on',
    'stop_signal',
    'stop_grace_period',
    'post_start',
    'pre_stop',
    'logging',
  ],
  // What it reaches
  ...[
    'ports',
    'expose',
    'networks',
    'network_mode',
    'links',
    'extra_hosts',
    'volumes',
    'tmpfs',
    'secrets',
    'configs',
  ],
  // What it may use
  ...['deploy', 'scale', 'mem_limit', 'mem_reservation', 'memswap_limit', 'cpus', 'cpu_shares', 'cpuset'],
  ...[
    'pids_limit',
    'shm_size',
    'ulimits',
    'sysctls',
    'cap_add',
    'cap_drop',
    'security_opt',
    'read_only',
    'group_add',
  ],
]

/** Keys with a rule and a message of their own; every other unlisted key is POL040. */
const SERVICE_WITH_RULE = [
  ...['privileged', 'devices', 'device_cgroup_rules', 'gpus', 'pid', 'ipc', 'uts', 'cgroup', 'userns_mode'],
  ...[
    'volumes_from',
    'runtime',
    'isolation',
    'cgroup_parent',
    'oom_kill_disable',
    'oom_score_adj',
    'mem_swappiness',
  ],
  ...['cpu_rt_period', 'cpu_rt_runtime', 'storage_opt', 'blkio_config', 'provider', 'use_api_socket'],
]

const FILE_OF_SERVICE = ['source', 'target', 'uid', 'gid', 'mode']
const ROLLING = ['parallelism', 'delay', 'failure_action', 'monitor', 'max_failure_ratio', 'order']

/** Below a service; `*` stands for every key, and a list for each of its entries. */
const NESTED: readonly { readonly of: string; readonly allowed: readonly string[] }[] = [
  {
    of: 'build',
    allowed: [
      ...[
        'context',
        'dockerfile',
        'args',
        'target',
        'secrets',
        'additional_contexts',
        'dockerfile_inline',
        'ssh',
      ],
      ...[
        'privileged',
        'entitlements',
        'network',
        'labels',
        'tags',
        'no_cache',
        'pull',
        'cache_from',
        'cache_to',
      ],
      ...['platforms', 'shm_size', 'ulimits', 'extra_hosts', 'isolation', 'provenance', 'sbom'],
    ],
  },
  {
    of: 'deploy',
    allowed: [
      ...['mode', 'replicas', 'resources', 'restart_policy', 'update_config', 'rollback_config', 'labels'],
      ...['endpoint_mode', 'placement'],
    ],
  },
  { of: 'extends', allowed: ['file', 'service'] },
  { of: 'logging', allowed: ['driver', 'options'] },
  {
    of: 'healthcheck',
    allowed: ['test', 'interval', 'timeout', 'retries', 'start_period', 'start_interval', 'disable'],
  },
  { of: 'ports', allowed: ['target', 'published', 'host_ip', 'protocol', 'mode', 'name', 'app_protocol'] },
  {
    of: 'volumes',
    allowed: [
      'type',
      'source',
      'target',
      'read_only',
      'bind',
      'volume',
      'tmpfs',
      'consistency',
      'image',
      'cluster',
    ],
  },
  { of: 'env_file', allowed: ['path', 'required', 'format'] },
  { of: 'post_start', allowed: ['command', 'user', 'privileged', 'working_dir', 'environment'] },
  { of: 'pre_stop', allowed: ['command', 'user', 'privileged', 'working_dir', 'environment'] },
  { of: 'volumes.bind', allowed: ['propagation', 'create_host_path', 'selinux', 'recursive'] },
  { of: 'volumes.volume', allowed: ['nocopy', 'subpath'] },
  { of: 'volumes.tmpfs', allowed: ['size', 'mode'] },
  { of: 'secrets', allowed: FILE_OF_SERVICE },
  { of: 'configs', allowed: FILE_OF_SERVICE },
  { of: 'build.secrets', allowed: FILE_OF_SERVICE },
  { of: 'networks.*', allowed: ['aliases', 'priority', 'gw_priority', 'interface_name'] },
  { of: 'depends_on.*', allowed: ['condition', 'required', 'restart'] },
  { of: 'ulimits.*', allowed: ['soft', 'hard'] },
  { of: 'deploy.resources', allowed: ['limits', 'reservations'] },
  { of: 'deploy.resources.limits', allowed: ['cpus', 'memory', 'pids'] },
  // Devices have a rule of their own.
  { of: 'deploy.resources.reservations', allowed: ['cpus', 'memory', 'devices'] },
  { of: 'deploy.placement', allowed: ['constraints', 'preferences', 'max_replicas_per_node'] },
  { of: 'deploy.update_config', allowed: ROLLING },
  { of: 'deploy.rollback_config', allowed: ROLLING },
  { of: 'deploy.restart_policy', allowed: ['condition', 'delay', 'max_attempts', 'window'] },
]

const RESOURCES: Readonly<Record<string, readonly string[]>> = {
  networks: [
    'driver',
    'driver_opts',
    'ipam',
    'external',
    'internal',
    'attachable',
    'labels',
    'name',
    'enable_ipv6',
    'enable_ipv4',
  ],
  volumes: ['driver', 'driver_opts', 'external', 'labels', 'name'],
  secrets: ['file', 'environment', 'external', 'name', 'labels', 'template_driver'],
  configs: ['file', 'environment', 'content', 'external', 'name', 'labels', 'template_driver'],
}
const INCLUDE = ['path', 'project_directory', 'env_file']

/** Denies every key that nobody allowed. Works on a file as written (long forms) and on Compose's own JSON. */
export function checkKeys(report: Report, model: Shape): void {
  deny(report, [], model, TOP)
  for (const [index, entry] of shapesOf(model.include).entries()) {
    deny(report, ['include', index], entry, INCLUDE)
  }
  for (const [name, service] of Object.entries(shapeOf(model.services))) {
    checkServiceKeys(report, ['services', name], shapeOf(service))
  }
  for (const [kind, allowed] of Object.entries(RESOURCES)) {
    for (const [name, resource] of Object.entries(shapeOf(model[kind]))) {
      deny(report, [kind, name], shapeOf(resource), allowed)
    }
  }
}

function checkServiceKeys(report: Report, path: ModelPath, service: Shape): void {
  deny(report, path, service, [...SERVICE, ...SERVICE_WITH_RULE])
  for (const { of, allowed } of NESTED) {
    for (const [at, shape] of shapesAt(path, service, of.split('.'))) {
      deny(report, at, shape, allowed)
    }
  }
}

function shapesAt(at: ModelPath, value: unknown, words: readonly string[]): [ModelPath, Shape][] {
  if (Array.isArray(value)) {
    return value.flatMap((each, index) => shapesAt([...at, index], each, words))
  }
  if (!isShape(value)) {
    return []
  }
  const [word, ...rest] = words
  if (word === undefined) {
    return [[at, value]]
  }
  const keys = word === '*' ? Object.keys(value) : Object.hasOwn(value, word) ? [word] : []
  return keys.flatMap(key => shapesAt([...at, key], value[key], rest))
}

function deny(report: Report, path: ModelPath, shape: Shape, allowed: readonly string[]): void {
  for (const key of Object.keys(shape)) {
    if (!allowed.includes(key) && !key.startsWith('x-')) {
      report.deny('POL040', [...path, key], {
        message: `unknown or forbidden key "${key}".`,
        fix: 'Remove it, or check how it is spelt.',
      })
    }
  }
}
