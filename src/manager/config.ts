import { join, resolve } from 'node:path'
import { failpointsIn } from '#lib/failpoint.ts'
import { hostnameForApps } from '#lib/orchestrator-settings.ts'
import { Secret } from '#lib/secret.ts'
import { dataFolder, type Environment } from '#lib/settings.ts'
import type { Ranges } from './addresses.ts'
import { readDatabase } from './database-config.ts'
import { readDeadlineList, showDeadlines } from './deadline-list.ts'
import { type DeployerConfig, readDeployer, readStepTimeouts } from './deployer-config.ts'
import { EnvironmentReader } from './environment.ts'
import { CONFIG_INVALID } from './errors.ts'
import { type PeersConfig, readPeers } from './leadership/peers-config.ts'
import { type NotebooksConfig, readNotebooks } from './notebooks/notebooks-config.ts'
import type { Deadlines } from './pipeline/deadlines.ts'
import { type PostgresAddress, placeOf } from './store/postgres-address.ts'
import { type PortRange, readSystemPorts } from './systems/port-range.ts'
import { readTraces, type TracesConfig } from './traces/traces-config.ts'

export interface Config {
  /** Folder with everything that the manager keeps: `manager` in the data folder of the machine. */
  readonly data: string
  /** Undefined: the database is a file in there. */
  readonly database: PostgresAddress | undefined
  /** Undefined: it is the only manager of its database. */
  readonly peers: PeersConfig | undefined
  readonly listen: { readonly host: string; readonly port: number }
  /** Apps without a domain of their own get `<app>.<baseDomain>`. */
  readonly baseDomain: string
  readonly registry: RegistryConfig | undefined
  /** Of the CI jobs that tell of pushes. Undefined: there is no address for them. */
  readonly notifyToken: Secret | undefined
  /** Where people and Git hosts reach the manager, without a slash at the end. */
  readonly publicUrl: string
  readonly trustedProxies: Ranges
  /** CIDRs of private networks where Git remotes may be. */
  readonly allowPrivate: readonly string[]
  /** Git servers of which every repository may be registered. */
  readonly gitHosts: readonly string[] | undefined
  /** Where the first token is written instead of being logged. */
  readonly adminTokenFile: string | undefined
  /** Deployments at work at once on one host. */
  readonly concurrency: number
  /** How often each host is asked what runs. */
  readonly observeMs: number
  /** When steps and deployments are ended, where that is not the default; ms by name. */
  readonly deadlines: Deadlines
  /** Undefined: no call can be signed, and there is no address for one. */
  readonly deployer: DeployerConfig | undefined
  /** So many of an app's last releases can always be gone back to. */
  readonly keepReleases: number
  /** Undefined: no image of a notebook can be made but from a Dockerfile of its own. */
  readonly notebooks: NotebooksConfig | undefined
  /** Hosts are pruned each so many hours; 0: never. */
  readonly pruneHours: number
  /** So many deployments of an app may start within ten minutes without a person; 0: any number. */
  readonly mostUnattended: number
  /** Given to system containers. */
  readonly systemPorts: PortRange
  /** Where ended deployments are told of; undefined: nowhere. */
  readonly traces: TracesConfig | undefined
  /** Names the place where a test wants this process to stop. */
  readonly failpoints: string | undefined
}

export interface RegistryConfig {
  /** host:port */
  readonly address: string
  readonly username: string
  readonly password: Secret
  /** PEM of its authority, when it is not one of the system's. */
  readonly ca: string | undefined
}

/** The configuration from the environment, or CONFIG_INVALID with every problem at once. */
export function readConfig(environment: Environment = process.env): Config {
  const reader = new EnvironmentReader(environment)
  const listen = reader.address('FAIRLEAD_LISTEN', '127.0.0.1:7400')
  const notifyToken = readNotifyToken(reader)
  const places = {
    baseDomain: readBaseDomain(reader, environment),
    publicUrl: reader.origin('FAIRLEAD_PUBLIC_URL') ?? `http://${hostForUrl(listen.host)}:${listen.port}`,
  }
  const config: Config = {
    ...places,
    data: readDataFolder(environment),
    database: readDatabase(reader),
    peers: readPeers(reader),
    listen,
    notifyToken,
    registry: readRegistry(reader, notifyToken !== undefined),
    trustedProxies: reader.ranges('FAIRLEAD_TRUSTED_PROXIES').ranges,
    allowPrivate: reader.ranges('FAIRLEAD_ALLOW_PRIVATE').entries,
    gitHosts: reader.names('FAIRLEAD_GIT_HOSTS'),
    adminTokenFile: reader.text('FAIRLEAD_ADMIN_TOKEN_FILE'),
    concurrency: reader.whole('FAIRLEAD_CONCURRENCY', { from: 1, to: 64, or: 2 }),
    observeMs: reader.whole('FAIRLEAD_OBSERVE_SECONDS', { from: 1, to: 3600, or: 60 }) * 1000,
    deadlines: { ...readDeadlineList(reader, 'FAIRLEAD_DEADLINES'), ...readStepTimeouts(reader) },
    deployer: readDeployer(reader),
    keepReleases: reader.whole('FAIRLEAD_KEEP_RELEASES', { from: 1, to: 100, or: 5 }),
    notebooks: readNotebooks(reader, places),
    pruneHours: reader.whole('FAIRLEAD_PRUNE_HOURS', { from: 0, to: 8760, or: 0 }),
    mostUnattended: reader.whole('FAIRLEAD_MOST_UNATTENDED', { from: 0, to: 1000, or: 20 }),
    systemPorts: readSystemPorts(reader),
    traces: readTraces(reader),
    failpoints: failpointsIn(environment),
  }
  reader.refuseUnknown()
  const first = reader.problems[0]
  if (first) {
    throw CONFIG_INVALID(first.path, first.message).with({ problems: reader.problems })
  }
  return config
}

/** Where the manager keeps what it keeps, whatever else is configured. */
export function readDataFolder(environment: Environment = process.env): string {
  return resolve(join(dataFolder(environment), 'manager'))
}

/** Where its database is, whatever else is configured; undefined: in the data folder. */
export function readDatabaseAddress(environment: Environment = process.env): PostgresAddress | undefined {
  const reader = new EnvironmentReader(environment)
  const database = readDatabase(reader)
  const first = reader.problems[0]
  if (first) {
    throw CONFIG_INVALID(first.path, first.message).with({ problems: reader.problems })
  }
  return database
}

export function readFailpoints(environment: Environment = process.env): string | undefined {
  return failpointsIn(environment)
}

/** What the log may show of it: no secret value. */
export function summarise(config: Config): Record<string, string | number> {
  return {
    data: config.data,
    database: config.database ? placeOf(config.database) : 'in the data folder',
    listen: `${config.listen.host}:${config.listen.port}`,
    ...(config.peers ? { peers: `${config.peers.name} at ${config.peers.address}` } : {}),
    public_url: config.publicUrl,
    base_domain: config.baseDomain,
    registry: config.registry ? `${config.registry.username}@${config.registry.address}` : 'none',
    allow_private: config.allowPrivate.join(',') || 'none',
    concurrency: config.concurrency,
    ...(config.traces ? { traces: config.traces.url } : {}),
    ...(config.notifyToken ? { notify: 'with AUTH_TOKEN' } : {}),
    ...(config.deployer
      ? { signed_calls: `${config.deployer.minScheme}, ${config.deployer.perMinute} a minute` }
      : {}),
    ...(Object.keys(config.deadlines).length > 0 ? { deadlines: showDeadlines(config.deadlines) } : {}),
  }
}

const DOMAIN = /^(?=.{1,200}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/
const REGISTRY = /^[a-z0-9][a-z0-9.-]{0,252}(:\d{1,5})?$/

function readBaseDomain(reader: EnvironmentReader, environment: Environment): string {
  const isOld =
    reader.text('FAIRLEAD_BASE_DOMAIN') === undefined && hostnameForApps(environment) !== undefined
  const name = isOld ? 'HOSTNAME' : 'FAIRLEAD_BASE_DOMAIN'
  return reader.matching(name, DOMAIN, 'a domain such as apps.example.org') ?? 'localhost'
}

function readNotifyToken(reader: EnvironmentReader): Secret | undefined {
  const given = reader.given('AUTH_TOKEN')
  if (given === undefined || /^[\x21-\x7e]{1,200}$/.test(given)) {
    return given === undefined ? undefined : new Secret(given)
  }
  const expected = 'a token, such as "openssl rand -hex 32" prints; or do not set it'
  return reader.refuse('AUTH_TOKEN', 'is empty, too long or holds spaces', expected)
}

/** The account is that of one set of names, never half of each. */
function readRegistry(reader: EnvironmentReader, takesOldNames: boolean): RegistryConfig | undefined {
  const address = reader.matching('FAIRLEAD_REGISTRY', REGISTRY, 'host:port without a scheme')
  const username = reader.text('FAIRLEAD_REGISTRY_USERNAME')
  const password = reader.text('FAIRLEAD_REGISTRY_PASSWORD')
  const fromFile = reader.file('FAIRLEAD_REGISTRY_PASSWORD_FILE')
  const ca = reader.file('FAIRLEAD_REGISTRY_CA_FILE')
  const old = { username: reader.text('REGISTRY_USERNAME'), password: reader.text('REGISTRY_PASSWORD') }
  if (password !== undefined && fromFile !== undefined) {
    reader.refuse(
      'FAIRLEAD_REGISTRY_PASSWORD_FILE',
      'is given together with FAIRLEAD_REGISTRY_PASSWORD',
      'only one of both',
    )
  }
  if (address === undefined) {
    return undefined
  }
  if (takesOldNames && [username, password, fromFile].every(each => each === undefined)) {
    return { address, username: old.username ?? '', password: new Secret(old.password ?? ''), ca }
  }
  return { address, username: username ?? '', password: new Secret(password ?? fromFile?.trim() ?? ''), ca }
}

function hostForUrl(host: string): string {
  if (host === '0.0.0.0' || host === '::') {
    return 'localhost'
  }
  return host.includes(':') ? `[${host}]` : host
}
