import { realpathSync, statSync } from 'node:fs'
import { hostname } from 'node:os'
import { join, resolve } from 'node:path'
import type { HostPolicy } from '#commands/command.ts'
import { systemClock } from '#lib/clock.ts'
import type { Problem } from '#lib/errors.ts'
import { failpointsIn } from '#lib/failpoint.ts'
import { dataFolder, type Environment, type SettingName, unknownSettings } from '#lib/settings.ts'
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
  /** Names the place where a test wants this process to stop. */
  readonly failpoints: string | undefined
}

export interface ProxyConfig {
  readonly adminOrigin: string
  readonly httpPort: number
  readonly httpsPort: number
}

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9._-]{0,62}$/
const ADDRESS = /^(?:\[([0-9a-f:]+)\]|([a-z0-9.-]+)):(\d{1,5})$/i
const SUBNET = /^(?:\d{1,3}\.){3}\d{1,3}\/\d{1,2}$/
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
    name: reader.matching('FAIRLEAD_WORKER_NAME', { pattern: NAME, fallback: ownName() }),
    dockerSocket: reader.text('FAIRLEAD_DOCKER_SOCKET', '/var/run/docker.sock'),
    proxy: readProxy(reader),
    resolverPort: reader.port('FAIRLEAD_RESOLVER_PORT', portAbove(listen.port, RESOLVER_ABOVE)),
    gatePort: reader.port('FAIRLEAD_GATE_PORT', portAbove(listen.port, GATE_ABOVE)),
    network: {
      name: reader.matching('FAIRLEAD_NETWORK', { pattern: NAME, fallback: 'fairlead' }),
      subnet: reader.matching('FAIRLEAD_SUBNET', { pattern: SUBNET, fallback: '10.213.0.0/16' }),
    },
    stacksRoot: reader.folder('STACKS_ROOT'),
    failpoints: failpointsIn(environment),
  }
  reader.finish()
  const engines = environment.FAIRLEAD_WORKER_ENGINES || undefined
  return {
    ...config,
    policy: readPolicy(join(data, 'policy.yaml')),
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
    ...(config.stacksRoot === undefined ? {} : { stacks_root: config.stacksRoot }),
  }
}

function readProxy(reader: Reader): ProxyConfig | undefined {
  const adminOrigin = reader.origin('FAIRLEAD_PROXY_ADMIN')
  const httpPort = reader.port('FAIRLEAD_PROXY_HTTP_PORT', 80)
  const httpsPort = reader.port('FAIRLEAD_PROXY_HTTPS_PORT', 443)
  return adminOrigin === undefined ? undefined : { adminOrigin, httpPort, httpsPort }
}

function portAbove(listen: number, above: number): number {
  return listen === 0 || listen + above > 65_535 ? 0 : listen + above
}

function ownName(): string {
  const name = hostname()
    .replaceAll(/[^a-zA-Z0-9._-]/g, '-')
    .slice(0, 63)
  return NAME.test(name) ? name : 'worker'
}

type Variable = SettingName<'worker'>

/** Reads typed values and collects what is wrong with them, so that one start tells all. */
class Reader {
  readonly #environment: Environment
  readonly #problems: Problem[] = []

  constructor(environment: Environment) {
    this.#environment = environment
  }

  text(name: Variable, fallback: string): string {
    return this.#environment[name] || fallback
  }

  matching(name: Variable, { pattern, fallback }: { pattern: RegExp; fallback: string }): string {
    const value = this.text(name, fallback)
    if (!pattern.test(value)) {
      this.#refuse(name, `"${value}" is not of the form ${pattern.source}`)
    }
    return value
  }

  address(name: Variable, fallback: string): { host: string; port: number } {
    const value = this.text(name, fallback)
    const [, six, four, port] = ADDRESS.exec(value) ?? []
    if (port === undefined || Number(port) > 65_535) {
      this.#refuse(name, `"${value}" is not host:port`)
    }
    return { host: six ?? four ?? '', port: Number(port ?? 0) }
  }

  port(name: Variable, fallback: number): number {
    const value = this.text(name, String(fallback))
    if (!/^\d{1,5}$/.test(value) || Number(value) > 65_535) {
      this.#refuse(name, `"${value}" is not a port`)
    }
    return Number(value)
  }

  origin(name: Variable): string | undefined {
    const value = this.#environment[name] || undefined
    const url = value === undefined ? undefined : URL.parse(value)
    if (
      value !== undefined &&
      (!url || !/^https?:$/.test(url.protocol) || url.pathname !== '/' || url.username)
    ) {
      this.#refuse(name, `"${value}" is not an origin such as http://127.0.0.1:2019`)
    }
    return url?.origin
  }

  /** Where it really is. One that is named and not there is a mistake, also when its name is empty. */
  folder(name: Variable): string | undefined {
    const value = this.#environment[name]
    if (value === undefined) {
      return undefined
    }
    if (value === '' || !statSync(value, { throwIfNoEntry: false })?.isDirectory()) {
      this.#refuse(name, `"${value}" is no folder on this host; make it, or do not set ${name}`)
      return undefined
    }
    return realpathSync(value)
  }

  /** Throws when anything was wrong, also a misspelt name. */
  finish(): void {
    this.#problems.push(...unknownSettings(this.#environment))
    const [first] = this.#problems
    if (first) {
      throw WORKER_CONFIG_INVALID(first.path, first.message).with({ problems: this.#problems })
    }
  }

  #refuse(name: string, message: string): void {
    this.#problems.push({ path: name, message })
  }
}
