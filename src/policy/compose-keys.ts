import type { ModelPath, Report } from './finding.ts'
import { type Shape, shapeOf, shapesOf } from './shape.ts'

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
]

const NETWORK_OF_SERVICE = ['aliases', 'priority', 'gw_priority', 'interface_name']
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
  secrets: ['file', 'environment', 'external', 'name', 'labels', 'driver', 'template_driver'],
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
    deny(report, [...path, of], shapeOf(service[of]), allowed)
    for (const [index, entry] of shapesOf(service[of]).entries()) {
      deny(report, [...path, of, index], entry, allowed)
    }
  }
  for (const [name, network] of Object.entries(shapeOf(service.networks))) {
    deny(report, [...path, 'networks', name], shapeOf(network), NETWORK_OF_SERVICE)
  }
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
