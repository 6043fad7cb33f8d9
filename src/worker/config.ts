import { realpathSync, statSync } from 'node:fs'
import { isIP } from 'node:net'
import { join, resolve } from 'node:path'
import { NAME, ownName, SettingReader } from '#agent/setting-reader.ts'
import type { HostPolicy, SystemsFacts } from '#commands/command.ts'
import { systemClock } from '#lib/clock.ts'
import { failpointsIn } from '#lib/failpoint.ts'
import { dataFolder, type Environment, type SettingName } from '#lib/settings.ts'
import { readEngines, type WorkerEngines } from './engines-file.ts'
import { WORKER_CONFIG_INVALID } from './errors.ts'
import { readPolicy } from './policy-file.ts'

export interface WorkerConfig {
  /** `worker` in the data folder of the machine, with everything that the worker keeps: identity, pins, journal, logs, policy.yaml, workspace. */
  readonly data: string
  readonly listen: { readonly host: string; readonly port: number }
  /** Name in a new identity; an existing identity keeps its own. */
  readonly name: string
  readonly dockerSocket: string
  /** Undefined: nothing on this host is reachable by name. */
  readonly proxy: ProxyConfig | undefined
  /** Port on 127.0.0.1 where the proxy asks which container serves a name. */
  readonly resolverPort: number
  /** Port on 127.0.0.1 where the proxy asks whether a visitor may pass. */
  readonly gatePort: number
  readonly network: { readonly name: string; readonly subnet: string }
  readonly policy: HostPolicy
  /** Further Docker engines; undefined: there is only the one at the socket. */
  readonly engines: WorkerEngines | undefined
  /** Folder with the stacks, as it really is; undefined: this host has none. */
  readonly stacksRoot: string | undefined
  /** Undefined: this host has no system containers. */
  readonly systems: SystemsFacts | undefined
  /** Names the place where a test wants this process to stop. */
  readonly failpoints: string | undefined
}

export interface ProxyConfig {
  readonly adminOrigin: string
  readonly httpPort: number
  readonly httpsPort: number
}

const SUBNET = /^(?:\d{1,3}\.){3}\d{1,3}\/\d{1,2}$/
/** The public server of the project that makes Incus. */
const IMAGE_SERVER = 'https://images.linuxcontainers.org'
/** These ports must be the same after a restart (the proxy remembers them) and others for each worker. */
const RESOLVER_ABOVE = 10
const GATE_ABOVE = 20

/** The configuration from the environment and policy.yaml. Throws WORKER_CONFIG_INVALID with every problem, or POLICY_INVALID. */
export function readWorkerConfig(environment: Environment = process.env): WorkerConfig {
  const reader = new Reader(environment)
  const data = resolve(join(dataFolder(environment), 'worker'))
  const listen = reader.address('FAIRLEAD_WORKER_LISTEN', '127.0.0.1:7443')
  const config = {
    data,
    listen,
    name: reader.matching('FAIRLEAD_WORKER_NAME', { pattern: NAME, fallback: ownName('worker') }),
    dockerSocket: reader.text('FAIRLEAD_DOCKER_SOCKET', '/var/run/docker.sock'),
    proxy: readProxy(reader),
    resolverPort: reader.port('FAIRLEAD_RESOLVER_PORT', portAbove(listen.port, RESOLVER_ABOVE)),
    gatePort: reader.port('FAIRLEAD_GATE_PORT', portAbove(listen.port, GATE_ABOVE)),
    network: {
      name: reader.matching('FAIRLEAD_NETWORK', { pattern: NAME, fallback: 'fairlead' }),
      subnet: reader.matching('FAIRLEAD_SUBNET', { pattern: SUBNET, fallback: '10.213.0.0/16' }),
    },
    stacksRoot: reader.folder('STACKS_ROOT'),
    systems: readSystems(reader, data),
    failpoints: failpointsIn(environment),
  }
  reader.finish(WORKER_CONFIG_INVALID)
  const named = environment.FAIRLEAD_POLICY ?? ''
  const engines = environment.FAIRLEAD_WORKER_ENGINES || undefined
  return {
    ...config,
    policy: readPolicy(named ? resolve(named) : join(data, 'policy.yaml'), named !== ''),
    engines: engines === undefined ? undefined : readEngines(engines, config.dockerSocket, systemClock.now()),
  }
}

/** What the log may show of it; nothing in it is secret. */
export function summarise(config: WorkerConfig): Record<string, string | number> {
  const { proxy, policy, network } = config
  return {
    data: config.data,
    listen: `${config.listen.host}:${config.listen.port}`,
    docker_socket: config.dockerSocket,
    proxy: proxy ? `${proxy.adminOrigin} (${proxy.httpPort}, ${proxy.httpsPort})` : 'none',
    network: `${network.name} ${network.subnet}`,
    policy: policy.mode,
    ports: `${policy.ports.from}-${policy.ports.to}`,
    allow_private: policy.allowPrivate.join(',') || 'none',
    registries: policy.registries.join(',') || 'any',
    ...(config.engines ? { engines: config.engines.engines.map(({ name }) => name).join(',') } : {}),
    ...(config.systems ? { incus: `${config.systems.socket} (${config.systems.pool})` } : {}),
    ...(config.stacksRoot === undefined ? {} : { stacks_root: config.stacksRoot }),
  }
}

function readProxy(reader: Reader): ProxyConfig | undefined {
  const adminOrigin = reader.origin('FAIRLEAD_PROXY_ADMIN')
  const httpPort = reader.port('FAIRLEAD_PROXY_HTTP_PORT', 80)
  const httpsPort = reader.port('FAIRLEAD_PROXY_HTTPS_PORT', 443)
  return adminOrigin === undefined ? undefined : { adminOrigin, httpPort, httpsPort }
}

function readSystems(reader: Reader, data: string): SystemsFacts | undefined {
  const socket = reader.text('FAIRLEAD_INCUS_SOCKET', '')
  const systems = {
    socket,
    pool: reader.matching('FAIRLEAD_INCUS_POOL', { pattern: NAME, fallback: 'default' }),
    network: reader.matching('FAIRLEAD_INCUS_NETWORK', { pattern: NAME, fallback: 'incusbr0' }),
    address: reader.listenAddress('FAIRLEAD_SYSTEM_ADDRESS', '0.0.0.0'),
    backups: resolve(reader.text('FAIRLEAD_SYSTEM_BACKUPS', join(data, 'system-backups'))),
    imageServer: reader.imageServer('FAIRLEAD_SYSTEM_IMAGE_SERVER'),
  }
  return socket === '' ? undefined : systems
}

function portAbove(listen: number, above: number): number {
  return listen === 0 || listen + above > 65_535 ? 0 : listen + above
}

type Variable = SettingName<'worker'>

class Reader extends SettingReader<Variable> {
  port(name: Variable, fallback: number): number {
    const value = this.text(name, String(fallback))
    if (!/^\d{1,5}$/.test(value) || Number(value) > 65_535) {
      this.refuse(name, `"${value}" is not a port`)
    }
    return Number(value)
  }

  listenAddress(name: Variable, fallback: string): string {
    const value = this.text(name, fallback)
    if (isIP(value) === 0) {
      this.refuse(name, `"${value}" is no address`)
    }
    return value
  }

  origin(name: Variable): string | undefined {
    const value = this.environment[name] || undefined
    const url = value === undefined ? undefined : URL.parse(value)
    if (
      value !== undefined &&
      (!url || !/^https?:$/.test(url.protocol) || url.pathname !== '/' || url.username)
    ) {
      this.refuse(name, `"${value}" is not an origin such as http://127.0.0.1:2019`)
    }
    return url?.origin
  }

  imageServer(name: Variable): string {
    const value = this.text(name, IMAGE_SERVER)
    const url = URL.parse(value)
    if (url?.username || url?.password) {
      this.refuse(name, `it has a name or a password, which no image server asks for; ${IMAGE_SERVER} is one`)
    } else if (url?.protocol !== 'https:' || url.search || url.hash) {
      this.refuse(name, `"${value}" is not the address of a server such as ${IMAGE_SERVER}`)
    }
    return value.replace(/\/+$/, '')
  }

  /** Where it really is. One that is named and not there is a mistake, also when its name is empty. */
  folder(name: Variable): string | undefined {
    const value = this.environment[name]
    if (value === undefined) {
      return undefined
    }
    if (value === '' || !statSync(value, { throwIfNoEntry: false })?.isDirectory()) {
      this.refuse(name, `"${value}" is no folder on this host; make it, or do not set ${name}`)
      return undefined
    }
    return realpathSync(value)
  }
}
