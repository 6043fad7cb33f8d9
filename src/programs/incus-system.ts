import { createHash } from 'node:crypto'
import { canonicalJson } from '#lib/canonical-json.ts'

/** How much of its host a system container may have, and what of it can be reached from outside. */
export interface SystemShape {
  readonly memoryBytes: number
  readonly cpus: number
  readonly processes: number
  /** undefined: as much as the pool has. */
  readonly diskBytes?: number | undefined
  readonly ports: readonly SystemPort[]
  readonly snapshots?: SnapshotPlan | undefined
}

export interface SystemPort {
  readonly protocol: 'tcp' | 'udp'
  readonly host: number
  readonly container: number
}

export interface SnapshotPlan {
  /** Five fields, as cron has them. */
  readonly schedule: string
  readonly keepDays: number
}

/** Where a host puts system containers. */
export interface SystemPlace {
  readonly pool: string
  readonly network: string
  /** Where their ports are listened at. */
  readonly address: string
}

export const SYSTEM_KEY = {
  /** Whose it is: the same whatever it is called. */
  id: 'user.fairlead.id',
  deployment: 'user.fairlead.deployment',
  /** It was made to the end. */
  whole: 'user.fairlead.whole',
  /** Hash of all that decides how it runs. */
  config: 'user.fairlead.config',
  keys: 'user.fairlead.keys',
  restarts: 'user.fairlead.restarts',
  restored: 'user.fairlead.restored',
  /** It ran when its member began to be emptied or filled again, and is to run when that is over. */
  carried: 'user.fairlead.carried',
  /** Hash of the packages that were installed at its first start. */
  packages: 'user.fairlead.packages',
} as const

export type Texts = Readonly<Record<string, string>>

/** Keys of its configuration that follow from its shape; an empty value takes a key away. */
export function systemConfig({ memoryBytes, cpus, processes, snapshots }: SystemShape): Texts {
  return {
    'limits.memory': `${memoryBytes}B`,
    'limits.memory.swap': 'false',
    'limits.cpu.allowance': `${Math.round(cpus * 100)}ms/100ms`,
    'limits.processes': String(processes),
    // Users of its own: whoever gets out of one is nobody to the files and processes of all others.
    'security.idmap.isolated': 'true',
    'security.nesting': 'false',
    'security.privileged': 'false',
    'snapshots.schedule': snapshots?.schedule ?? '',
    'snapshots.expiry': snapshots ? `${snapshots.keepDays}d` : '',
    'snapshots.pattern': snapshots ? 'auto-%d' : '',
  }
}

/** All its devices: what is not here, it has not. */
export function systemDevices(
  { diskBytes, ports }: SystemShape,
  { pool, network, address }: SystemPlace,
): Record<string, Texts> {
  const size = diskBytes === undefined ? {} : { size: `${diskBytes}B` }
  return {
    root: { type: 'disk', path: '/', pool, ...size },
    eth0: { type: 'nic', network, name: 'eth0', ...OWN_ADDRESS },
    ...Object.fromEntries(
      ports.map(({ protocol, host, container }) => [
        `port-${protocol}-${host}`,
        {
          type: 'proxy',
          // Forwarded by a program of Incus: beside Docker, whose rules drop what others forward, that works all the same.
          listen: `${protocol}:${hostOf(address)}:${host}`,
          connect: `${protocol}:127.0.0.1:${container}`,
          bind: 'host',
        },
      ]),
    ),
  }
}

/** It reaches no other container over the bridge, and nothing is heard of it under another address than its own. */
const OWN_ADDRESS = {
  'security.port_isolation': 'true',
  'security.mac_filtering': 'true',
  'security.ipv4_filtering': 'true',
  'security.ipv6_filtering': 'true',
} as const

/**
 * What of its configuration, devices and profiles people could change by hand, by names for people. Of what no system has,
 * such as nesting, only what this one has all the same: a worker of an older release tells nothing of it.
 */
export function systemParts(
  config: Texts,
  devices: Readonly<Record<string, Texts>>,
  profiles: readonly string[] = [],
): Record<string, string> {
  return {
    ...Object.fromEntries(OF_SHAPE.map(key => [key, config[key] ?? 'none'])),
    // Without a word Incus lets it swap.
    ...(SWAP in config ? {} : { [SWAP]: 'none' }),
    ...byHand(config),
    ...(profiles.length === 0 ? {} : { profiles: profiles.join(', ') }),
    ...Object.fromEntries(
      Object.entries(devices).map(([name, device]) => [
        device.type === 'proxy' ? `port:${device.listen ?? ''}` : `device:${name}`,
        canonicalJson(device),
      ]),
    ),
  }
}

/** Keys that decide what a container may do, and that no system has. Those of its owner and Incus' own are none of them. */
export function byHand(config: Texts): Texts {
  return Object.fromEntries(
    Object.entries(config).filter(
      ([key, value]) =>
        !OF_SHAPE.includes(key) && !HARMLESS.test(key) && value !== '' && value !== ALWAYS[key],
    ),
  )
}

/** Whether it has rights that it keeps, whatever its configuration says, until it is started anew. */
export function holdsRights(parts: Readonly<Record<string, string>>): boolean {
  return (
    YES.test(parts['security.privileged'] ?? '') ||
    NO.test(parts['security.idmap.isolated'] ?? '') ||
    Object.keys(parts).some(key => AT_START.test(key))
  )
}

/** All that Incus takes for true and false. */
const YES = /^(?:true|1|yes|on)$/i
const NO = /^(?:false|0|no|off)$/i
/** What is in a profile nobody looks at: any of these. */
const AT_START =
  /^(?:security\.(?!idmap\.isolated$|privileged$)|raw\.|linux\.|nvidia\.|limits\.kernel\.|profiles$)/
const HARMLESS =
  /^(?:volatile|image|user|boot|snapshots|cloud-init|cluster|migration|environment|security\.protection)\./
/** Those that are always told of. */
const OF_SHAPE: readonly string[] = [
  ...['limits.memory', 'limits.cpu.allowance', 'limits.processes'],
  ...['security.idmap.isolated', 'security.privileged'],
]
const SWAP = 'limits.memory.swap'
const ALWAYS: Texts = { [SWAP]: 'false', 'security.nesting': 'false' }

/** Whether the instance is as it should be; what others add to its configuration beside ours stays where it is harmless. */
export function isShaped(
  found: {
    readonly config: Texts
    readonly devices: Readonly<Record<string, Texts>>
    readonly profiles: readonly string[]
  },
  shape: SystemShape,
  place: SystemPlace,
): boolean {
  const config = Object.entries(systemConfig(shape)).every(
    ([key, value]) => (found.config[key] ?? '') === value,
  )
  return (
    config &&
    Object.keys(byHand(found.config)).length === 0 &&
    found.profiles.length === 0 &&
    canonicalJson(found.devices) === canonicalJson(systemDevices(shape, place))
  )
}

/** The text of an authorized_keys file. */
export function authorizedKeys(keys: readonly string[]): string {
  return keys.map(key => `${key}\n`).join('')
}

export function keysHash(keys: readonly string[]): string {
  return createHash('sha256').update(authorizedKeys(keys)).digest('hex')
}

export function packagesHash(packages: readonly string[]): string {
  return createHash('sha256')
    .update(canonicalJson([...packages].sort()))
    .digest('hex')
}

function hostOf(address: string): string {
  return address.includes(':') ? `[${address}]` : address
}
