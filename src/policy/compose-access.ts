import { isPrivateAddress } from '#lib/private-address.ts'
import type { ModelPath } from './finding.ts'
import type { RuleContext } from './rule-context.ts'
import { isOn, listOf, type Pair, pairsOf, type Shape, scalarText, shapeOf, shapesOf } from './shape.ts'

/** Docker's own default set: giving back what was there. */
const CAPABILITIES = [
  ...[
    'NET_BIND_SERVICE',
    'CHOWN',
    'SETUID',
    'SETGID',
    'FOWNER',
    'FSETID',
    'DAC_OVERRIDE',
    'KILL',
    'SYS_CHROOT',
  ],
  ...['AUDIT_WRITE', 'SETFCAP', 'SETPCAP', 'MKNOD', 'NET_RAW'],
]
const SYSCTLS = [
  /^net\.core\.somaxconn$/,
  /^net\.ipv4\.ip_unprivileged_port_start$/,
  /^net\.ipv4\.tcp_keepalive_\w+$/,
]
const NAMESPACES: Readonly<Record<string, RegExp>> = {
  pid: /^service:/,
  ipc: /^(?:private|shareable|none|service:.*)$/,
  uts: /^private$/,
  cgroup: /^private$/,
  userns_mode: /^private$/,
}
const LIMIT_ESCAPES = [
  ...[
    'cgroup_parent',
    'oom_kill_disable',
    'oom_score_adj',
    'mem_swappiness',
    'cpu_rt_period',
    'cpu_rt_runtime',
  ],
  ...['storage_opt', 'blkio_config', 'runtime', 'isolation'],
]

const ASK = 'Remove it, or ask an administrator for an exception.'

/** POL001 to POL009, POL090: what would give a service the host, another app, or more than its share. */
export function checkAccess(context: RuleContext, path: ModelPath, service: Shape): void {
  checkPrivileges(context, path, service)
  checkNamespaces(context, path, service)
  checkKernel(context, path, service)
  checkHostRunners(context, path, service)
  checkHosts(context, path, service)
  checkPlacement(context, path, service)
}

function checkPrivileges({ report }: RuleContext, path: ModelPath, service: Shape): void {
  if (isOn(service.privileged)) {
    report.deny('POL001', [...path, 'privileged'], {
      message: '"privileged" gives the container full control of the host and is not allowed.',
      fix: ASK,
    })
  }
  for (const [index, entry] of listOf(service.cap_add).entries()) {
    const name = (scalarText(entry) ?? '').toUpperCase().replace(/^CAP_/, '')
    if (name !== '' && !CAPABILITIES.includes(name)) {
      report.deny('POL002', [...path, 'cap_add', index], {
        message: `capability "${name}" is not allowed.`,
        fix: ASK,
      })
    }
  }
  for (const key of ['devices', 'device_cgroup_rules', 'gpus'] as const) {
    if (listOf(service[key]).length > 0 || scalarText(service[key]) !== undefined) {
      report.deny('POL003', [...path, key], {
        message: `"${key}" gives access to the host's devices and is not allowed.`,
        fix: ASK,
      })
    }
  }
  const reservations = shapeOf(shapeOf(shapeOf(service.deploy).resources).reservations)
  if (listOf(reservations.devices).length > 0) {
    report.deny('POL003', [...path, 'deploy', 'resources', 'reservations', 'devices'], {
      message: '"devices" gives access to the host\'s devices and is not allowed.',
      fix: ASK,
    })
  }
  for (const [index, entry] of listOf(service.group_add).entries()) {
    if (entry !== null && !/^[1-9]\d{3,}$/.test(String(entry))) {
      report.deny('POL008', [...path, 'group_add', index], {
        message: `group "${entry}" may be one of the host's own.`,
        fix: 'Use a numeric group of 1000 or more.',
      })
    }
  }
}

function checkNamespaces({ report }: RuleContext, path: ModelPath, service: Shape): void {
  for (const [key, allowed] of Object.entries(NAMESPACES)) {
    const value = scalarText(service[key])
    if (value && !allowed.test(value)) {
      report.deny('POL004', [...path, key], {
        message: `"${key}: ${value}" shares a namespace with the host or another app and is not allowed.`,
        fix: ASK,
      })
    }
  }
  const mode = scalarText(service.network_mode)
  if (mode && !/^(?:none|service:.+)$/.test(mode)) {
    report.deny('POL005', [...path, 'network_mode'], {
      message: `"network_mode: ${mode}" leaves the app's own networks and is not allowed.`,
      fix: 'Use "networks", "none" or "service:NAME".',
    })
  }
}

function checkKernel({ report }: RuleContext, path: ModelPath, service: Shape): void {
  for (const [index, entry] of listOf(service.security_opt).entries()) {
    const option = (scalarText(entry) ?? '').replace('=', ':')
    if (entry !== null && option !== 'no-new-privileges:true' && option !== 'no-new-privileges') {
      report.deny('POL006', [...path, 'security_opt', index], {
        message: `security option "${option}" weakens the container's sandbox and is not allowed.`,
        fix: 'Remove it; "no-new-privileges:true" is always set.',
      })
    }
  }
  for (const { at, key } of pairsOf(service.sysctls, ['='])) {
    if (!SYSCTLS.some(allowed => allowed.test(key))) {
      report.deny('POL007', [...path, 'sysctls', at], {
        message: `sysctl "${key}" is not allowed.`,
        fix: ASK,
      })
    }
  }
  for (const key of LIMIT_ESCAPES) {
    if (service[key] !== undefined && service[key] !== null && service[key] !== false) {
      report.deny('POL009', [...path, key], {
        message: `"${key}" escapes the limits of this host and is not allowed.`,
        fix: ASK,
      })
    }
  }
}

/** What makes Compose itself run a program or hand over the engine: refused in every mode. */
function checkHostRunners({ report }: RuleContext, path: ModelPath, service: Shape): void {
  if (service.provider !== undefined) {
    report.refuse('POL040', [...path, 'provider'], {
      message: 'unknown or forbidden key "provider".',
      fix: 'Remove it: it would run a program on the host.',
    })
  }
  if (isOn(service.use_api_socket)) {
    report.refuse('POL013', [...path, 'use_api_socket'], {
      message: '"use_api_socket" hands the Docker engine to the container and is not allowed.',
      fix: 'Remove it.',
    })
  }
  if (listOf(service.volumes_from).length > 0) {
    report.deny('POL012', [...path, 'volumes_from'], {
      message: '"volumes_from" mounts what belongs to another container and is not allowed.',
      fix: 'Name the volumes in "volumes".',
    })
  }
  for (const hook of ['post_start', 'pre_stop']) {
    for (const [index, entry] of shapesOf(service[hook]).entries()) {
      if (isOn(entry.privileged)) {
        report.deny('POL001', [...path, hook, index, 'privileged'], {
          message: '"privileged" gives the hook full control of the host and is not allowed.',
          fix: ASK,
        })
      }
    }
  }
}

function checkHosts({ report }: RuleContext, path: ModelPath, service: Shape): void {
  for (const { at, key, value } of addressesOf(service.extra_hosts)) {
    const address = value.replace(/^\[|\]$/g, '')
    if (address !== '' && (address === 'host-gateway' || isPrivateAddress(address))) {
      report.deny('POL090', [...path, 'extra_hosts', at], {
        message: `"${key}" points to "${address}", an address inside this network, and is not allowed.`,
        fix: 'Use the name of a service of this app, or a public address.',
      })
    }
  }
  const hostname = scalarText(service.hostname)
  if (hostname && !/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i.test(hostname)) {
    report.deny('POL044', [...path, 'hostname'], {
      message: `"${hostname.slice(0, 80)}" is not a host name.`,
      fix: 'Use letters, digits and "-", at most 63.',
    })
  }
}

/** A name of a mapping may have several addresses. */
function addressesOf(hosts: unknown): Pair[] {
  const several = Object.entries(shapeOf(hosts)).flatMap(([key, value]) =>
    listOf(value).map(each => ({ at: key, key, value: scalarText(each) ?? '' })),
  )
  return [...pairsOf(hosts, ['=', ':']), ...several]
}

/** POL083: managers of a swarm hold its keys and the secrets of all stacks. */
function checkPlacement({ report }: RuleContext, path: ModelPath, service: Shape): void {
  const { constraints } = shapeOf(shapeOf(service.deploy).placement)
  for (const [index, entry] of listOf(constraints).entries()) {
    if (/^node\.role(?:==manager|!=worker)$/i.test((scalarText(entry) ?? '').replace(/[\s"']/g, ''))) {
      report.deny('POL083', [...path, 'deploy', 'placement', 'constraints', index], {
        message: `"${scalarText(entry)}" asks for a manager of the swarm and is not allowed.`,
        fix: 'Use a label of the nodes that are meant (node.labels.NAME == VALUE).',
      })
    }
  }
}
