import type { ModelPath, RawFinding, Report } from './finding.ts'
import { createReport } from './finding.ts'
import { listOf, pairsOf, type Shape, scalarText, shapeOf, shapesOf } from './shape.ts'
import { stackDeployOf } from './stack-limits.ts'

/** The first version that knows everything used here; every CLI since 20.10 takes it. */
const VERSION = '3.9'

/** What means the same to Compose and to Swarm. */
const SAME = [
  ...['image', 'command', 'entrypoint', 'environment', 'working_dir', 'user', 'init', 'tty', 'stdin_open'],
  ...['hostname', 'labels', 'stop_signal', 'stop_grace_period', 'logging', 'tmpfs', 'sysctls', 'ulimits'],
  ...['cap_add', 'cap_drop', 'read_only', 'dns', 'dns_search'],
]
/** Said otherwise to Swarm, or of no meaning once the services are placed. */
const TURNED = [
  ...[
    'build',
    'expose',
    'security_opt',
    'restart',
    'scale',
    'deploy',
    'mem_limit',
    'mem_reservation',
    'cpus',
  ],
  ...['pids_limit', 'ports', 'networks', 'volumes', 'secrets', 'configs', 'healthcheck', 'extra_hosts'],
]
/** Left out, and said so: the service runs without. */
const IGNORED: Readonly<Record<string, string>> = {
  depends_on:
    'Swarm starts all services at once: let the program wait for what it needs, or end and be started again.',
  links: 'Services reach each other by name.',
  container_name: 'Swarm names its tasks itself.',
  platform: 'Use "deploy.placement.constraints" with node.platform.arch.',
  shm_size: 'Mount a tmpfs at /dev/shm instead.',
  memswap_limit: 'Use "deploy.resources.limits.memory".',
  cpu_shares: 'Use "deploy.resources".',
  cpuset: 'Use "deploy.resources.limits.cpus".',
}

export interface StackFile {
  /** For `docker stack deploy`. */
  readonly file: Shape
  readonly findings: readonly RawFinding[]
}

export interface StackFacts {
  /** Name of the stack. */
  readonly name: string
  /** The checkout: what is in it is on one machine only. */
  readonly root: string
  /** Names in the swarm of the secrets and configs whose content is known. */
  readonly secrets: Readonly<Record<string, string>>
  readonly configs: Readonly<Record<string, string>>
}

/**
 * Compose's own JSON (checked and rewritten by the policy) as Swarm wants it: another schema, which knows less. What
 * Swarm cannot do is an error, what it does in its own way a warning. Built services have no image yet.
 */
export function stackFileOf(model: Shape, facts: StackFacts): StackFile {
  const report = createReport('enforce')
  const services = Object.entries(shapeOf(model.services)).map(([name, service]) => [
    name,
    serviceOf(report, [name, shapeOf(service)], facts),
  ])
  const file = {
    version: VERSION,
    services: Object.fromEntries(services),
    ...section('networks', model.networks, (network, key) => resourceOf(network, `${facts.name}_${key}`)),
    ...section('volumes', model.volumes, (volume, key) => resourceOf(volume, `${facts.name}_${key}`)),
    ...section('secrets', model.secrets, (secret, key) => outside(secret, facts.secrets[key])),
    ...section('configs', model.configs, (config, key) => outside(config, facts.configs[key])),
  }
  return { file, findings: report.findings }
}

function section(
  kind: string,
  value: unknown,
  change: (resource: Shape, key: string) => Shape,
): Record<string, Shape> {
  const entries = Object.entries(shapeOf(value)).map(([key, each]) => [key, change(shapeOf(each), key)])
  return entries.length === 0 ? {} : { [kind]: Object.fromEntries(entries) }
}

/** Made before the stack is deployed, under a name that says what is in it. */
function outside(resource: Shape, name: string | undefined): Shape {
  return { external: true, name: name ?? scalarText(resource.name) ?? '' }
}

/** Only `<stack>_<key>` is what Swarm calls it anyway. A bridge is on one machine only. */
function resourceOf({ name, ipam, driver, ...rest }: Shape, ownName: string): Shape {
  const own = scalarText(name) === ownName && !rest.external
  const kept = Object.entries(rest).filter(([key]) => !key.startsWith('x-') && !/^enable_/.test(key))
  return {
    ...Object.fromEntries(kept),
    ...(own || name === undefined ? {} : { name }),
    ...(Object.keys(shapeOf(ipam)).length > 0 ? { ipam } : {}),
    ...(driver === undefined || driver === 'bridge' || driver === 'default' ? {} : { driver }),
  }
}

function serviceOf(report: Report, [name, service]: readonly [string, Shape], facts: StackFacts): Shape {
  const path = ['services', name]
  sayWhatIsLost(report, path, service)
  const plain = Object.fromEntries(
    SAME.flatMap(key => (service[key] === undefined ? [] : [[key, service[key]]])),
  )
  const ports = portsOf(report, path, service)
  const volumes = mountsOf(report, path, { service, root: facts.root })
  const isAlone = ports.some(each => each.mode === 'host') || volumes.some(each => each.type === 'volume')
  const healthcheck = healthOf(shapeOf(service.healthcheck))
  return {
    ...plain,
    ...(ports.length > 0 ? { ports } : {}),
    ...(volumes.length > 0 ? { volumes } : {}),
    ...(healthcheck ? { healthcheck } : {}),
    ...(service.networks === undefined ? {} : { networks: networksOf(shapeOf(service.networks)) }),
    ...(service.secrets === undefined ? {} : { secrets: filesOf(service.secrets) }),
    ...(service.configs === undefined ? {} : { configs: filesOf(service.configs) }),
    ...(service.extra_hosts === undefined
      ? {}
      : { extra_hosts: pairsOf(service.extra_hosts, ['=', ':']).map(({ key, value }) => `${key}:${value}`) }),
    deploy: stackDeployOf(report, path, { service, isAlone }),
  }
}

function sayWhatIsLost(report: Report, path: ModelPath, service: Shape): void {
  for (const key of Object.keys(service)) {
    const ignored = IGNORED[key]
    if (SAME.includes(key) || TURNED.includes(key) || key.startsWith('x-')) {
      continue
    }
    if (ignored === undefined) {
      report.refuse('POL110', [...path, key], {
        message: `a service of a stack cannot have "${key}".`,
        fix: 'Remove it, or run this app with the target "compose" on one machine.',
      })
    } else {
      report.warn('POL111', [...path, key], {
        message: `"${key}" has no meaning in a stack and is left out.`,
        fix: ignored,
      })
    }
  }
}

function portsOf(report: Report, path: ModelPath, service: Shape): Shape[] {
  return shapesOf(service.ports).map(({ target, published, protocol, mode, host_ip: address }, index) => {
    const at = [...path, 'ports', index]
    if (scalarText(address)) {
      report.refuse('POL110', [...at, 'host_ip'], {
        message: `a port of a stack cannot be published at one address (${address}).`,
        fix: 'Remove the address, and let a firewall say who may reach the port.',
      })
    }
    if (!/^\d+$/.test(scalarText(published) ?? '')) {
      report.refuse('POL110', at, {
        message: `"${scalarText(published) ?? ''}" is not one port.`,
        fix: 'Name each published port by itself.',
      })
    }
    return {
      target: Number(target),
      published: Number(published),
      protocol: scalarText(protocol) ?? 'tcp',
      mode: scalarText(mode) ?? 'ingress',
    }
  })
}

interface Mounts {
  readonly service: Shape
  readonly root: string
}

function mountsOf(report: Report, path: ModelPath, { service, root }: Mounts): Shape[] {
  return shapesOf(service.volumes).map((mount, index) => {
    const source = scalarText(mount.source)
    if (mount.type === 'bind' && (source === root || source?.startsWith(`${root}/`))) {
      report.refuse('POL112', [...path, 'volumes', index], {
        message: 'a file of the repository cannot be mounted: tasks run on machines that do not have it.',
        fix: 'Make it a config (top-level "configs" with "file", and "configs" of the service), or put it into the image.',
      })
    }
    const { propagation } = shapeOf(mount.bind)
    const { nocopy } = shapeOf(mount.volume)
    const { size } = shapeOf(mount.tmpfs)
    return {
      ...{ type: mount.type, target: mount.target },
      ...(source === undefined ? {} : { source }),
      ...(mount.read_only === undefined ? {} : { read_only: mount.read_only }),
      ...(propagation === undefined ? {} : { bind: { propagation } }),
      ...(nocopy === undefined ? {} : { volume: { nocopy } }),
      ...(size === undefined ? {} : { tmpfs: { size: Number(size) } }),
    }
  })
}

function healthOf({ start_interval: _, ...check }: Shape): Shape | undefined {
  return Object.keys(check).length === 0 ? undefined : check
}

function networksOf(networks: Shape): Shape {
  return Object.fromEntries(
    Object.entries(networks).map(([name, value]) => {
      const { aliases } = shapeOf(value)
      return [name, listOf(aliases).length > 0 ? { aliases } : null]
    }),
  )
}

/** Compose writes modes as numbers or as octal texts. */
function filesOf(entries: unknown): Shape[] {
  return shapesOf(entries).map(({ source, target, uid, gid, mode }) => ({
    source,
    ...(target === undefined ? {} : { target }),
    ...(uid === undefined ? {} : { uid: String(uid) }),
    ...(gid === undefined ? {} : { gid: String(gid) }),
    ...(mode === undefined
      ? {}
      : { mode: typeof mode === 'string' ? Number.parseInt(mode.replace(/^0o/, ''), 8) : mode }),
  }))
}
