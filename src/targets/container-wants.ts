import { createHash } from 'node:crypto'
import { posix } from 'node:path'
import type { ContainerStartData } from '#commands/container-data.ts'
import { LONGEST_WATCH_MS } from '#commands/container-watch.ts'
import type { Probe } from '#commands/route-data.ts'
import { canonicalJson } from '#lib/canonical-json.ts'
import { exposedPort } from '#programs/dockerfile.ts'
import { CONTAINER_SECRET_MISSING, CONTAINER_SETTINGS_WRONG } from './container-errors.ts'
import { bytes, type ContainerSettings, milliseconds } from './container-settings.ts'
import type { AppFacts, LookInput } from './target.ts'
import { probeOf, readyPathOf } from './verify-settings.ts'

const LONGEST_WITHIN_MS = 10 * 60_000
const LONGEST_GRACE_MS = 10 * 60_000

/** The settings with everything filled in: what the plan works with. */
export interface ContainerWants {
  readonly image: {
    readonly context: string
    readonly dockerfile: string
    readonly args: Readonly<Record<string, string>>
    readonly target?: string
    readonly secretNames: readonly string[]
    readonly repositoryName: string
  }
  readonly buildSecrets: Readonly<Record<string, string>>
  /** Host names that lead to it; empty when it is not routed. */
  readonly hosts: readonly string[]
  /** How it is asked through the proxy. */
  readonly probe: Probe | undefined
  readonly run: Omit<
    ContainerStartData,
    'app' | 'deployment' | 'commit' | 'configHash' | 'previous' | 'image'
  >
  /** Environment as it is written, secrets by their names. */
  readonly writtenEnvironment: Readonly<Record<string, string>>
  readonly drainMs: number
  /** How long the new container is watched once it serves. */
  readonly watchMs: number
}

/** What the settings come to for one app and commit; throws when they contradict each other or a secret has no value. */
export function wantsOf(input: LookInput<ContainerSettings>): ContainerWants {
  const { settings, app, source } = input
  const image = imageOf(settings, app)
  const port = settings.port ?? exposedPort(source.texts[image.dockerfile] ?? '')
  const writtenEnvironment = texts(settings.environment ?? {})
  return {
    image,
    buildSecrets: Object.fromEntries(
      image.secretNames.map(name => [name, secretNamed(input, name, 'build_secrets')]),
    ),
    hosts: hostsOf(settings, app, port),
    probe: probeOf(settings.verify, settings.health?.http),
    run: runOf(input, { port, writtenEnvironment }),
    writtenEnvironment,
    drainMs: milliseconds(settings.drain ?? '5s'),
    watchMs: between('verify.settle', settings.verify?.settle ?? '0s', LONGEST_WATCH_MS),
  }
}

/** Path of the Dockerfile from the root of the repository. */
export function dockerfileOf(settings: ContainerSettings): string {
  return settings.dockerfile ?? posix.join(settings.context ?? '.', 'Dockerfile')
}

/** The domains as they are written, or the app's name below the base domain; empty for an app that wants none. */
export function domainsOf(settings: ContainerSettings, app: AppFacts): readonly string[] {
  const written = [...(settings.domain ? [settings.domain] : []), ...(settings.domains ?? [])]
  if (written.length > 0) {
    return [...new Set(written.map(domain => domain.toLowerCase()))]
  }
  return settings.domains || isPublishedOnly(settings) ? [] : [`${app.name}.${app.baseDomain}`]
}

/** Reached by ports of the host, and by no name. */
export function isPublishedOnly({ ports = [], port, domain, domains }: ContainerSettings): boolean {
  return ports.length > 0 && port === undefined && domain === undefined && domains === undefined
}

/**
 * sha256 over everything that decides what runs and when it counts as ready. Values of secrets take part, so a rotated
 * one is a change; so does how its health is told, because nobody has seen a running container pass another check.
 */
export function configHashOf({ run }: ContainerWants, reference: string): string {
  return createHash('sha256')
    .update(canonicalJson({ version: 2, reference, run }))
    .digest('hex')
}

function imageOf(settings: ContainerSettings, app: AppFacts): ContainerWants['image'] {
  const args = texts(settings.args ?? {})
  const secret = Object.entries(args).find(([, value]) => nameOfSecret(value) !== undefined)
  if (secret) {
    throw CONTAINER_SETTINGS_WRONG(
      `args.${secret[0]}`,
      'a secret in a build argument would stay in the image; use build_secrets',
    )
  }
  return {
    context: settings.context ?? '.',
    dockerfile: dockerfileOf(settings),
    args,
    ...(settings.stage ? { target: settings.stage } : {}),
    secretNames: settings.build_secrets ?? [],
    repositoryName: settings.image_name ?? app.name,
  }
}

function hostsOf(settings: ContainerSettings, app: AppFacts, port: number | undefined): readonly string[] {
  const hosts = domainsOf(settings, app)
  if (port === undefined && (settings.domain || settings.domains?.length)) {
    throw CONTAINER_SETTINGS_WRONG(
      'port',
      'a domain needs the port that the app listens on, and the Dockerfile names none with EXPOSE',
    )
  }
  return port === undefined ? [] : hosts
}

interface Known {
  readonly port: number | undefined
  readonly writtenEnvironment: Readonly<Record<string, string>>
}

function runOf(
  input: LookInput<ContainerSettings>,
  { port, writtenEnvironment }: Known,
): ContainerWants['run'] {
  const { settings } = input
  return {
    environment: Object.fromEntries(
      Object.entries(writtenEnvironment).map(([key, value]) => [
        key,
        environmentValue(input, value, `environment.${key}`),
      ]),
    ),
    ...(settings.command ? { command: settings.command } : {}),
    ...(port === undefined ? {} : { port }),
    health: healthOf(settings, port),
    volumes: (settings.volumes ?? []).map(({ name, path, read_only, shared }) => ({
      name,
      path,
      ...(read_only ? { readOnly: true } : {}),
      ...(shared ? { shared: true } : {}),
    })),
    ports: settings.ports ?? [],
    ...(settings.memory ? { memoryBytes: memoryOf(settings.memory) } : {}),
    ...(settings.cpus === undefined ? {} : { cpus: settings.cpus }),
    ...(settings.pids === undefined ? {} : { pids: settings.pids }),
    ...(settings.user ? { user: settings.user } : {}),
    ...(settings.read_only ? { readOnly: true } : {}),
    stopGraceSeconds: Math.ceil(between('stop_grace', settings.stop_grace ?? '10s', LONGEST_GRACE_MS) / 1000),
  }
}

function healthOf(settings: ContainerSettings, port: number | undefined): ContainerStartData['health'] {
  const {
    http = readyPathOf(settings.verify),
    within = settings.verify?.within ?? '60s',
    interval,
  } = settings.health ?? {}
  if (http !== undefined && port === undefined) {
    const where = settings.health?.http === undefined ? 'verify.http' : 'health.http'
    throw CONTAINER_SETTINGS_WRONG(where, 'it needs the port that the app listens on')
  }
  return {
    ...(http === undefined ? {} : { http }),
    withinMs: between('health.within', within, LONGEST_WITHIN_MS),
    ...(interval ? { intervalMs: Math.min(60_000, Math.max(10, milliseconds(interval))) } : {}),
  }
}

function between(setting: string, text: string, most: number): number {
  const ms = milliseconds(text)
  if (ms > most) {
    throw CONTAINER_SETTINGS_WRONG(setting, `it is longer than ${most / 60_000} minutes`)
  }
  return ms
}

function memoryOf(text: string): number {
  const wanted = bytes(text)
  if (wanted < bytes('6m')) {
    throw CONTAINER_SETTINGS_WRONG('memory', 'a container needs at least 6m')
  }
  return wanted
}

/** Scalars of YAML as the texts they become, in a fixed order. */
function texts(
  values: Readonly<Record<string, string | number | boolean>>,
): Readonly<Record<string, string>> {
  const entries = Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(entries.map(([key, value]) => [key, String(value)]))
}

function environmentValue(input: LookInput<ContainerSettings>, written: string, where: string): string {
  const name = nameOfSecret(written)
  return name === undefined ? written.replace(/^\$\$/, '$') : secretNamed(input, name, where)
}

function nameOfSecret(written: string): string | undefined {
  return /^\$([A-Za-z_][A-Za-z0-9_]*)$/.exec(written)?.[1]
}

function secretNamed(input: LookInput<ContainerSettings>, name: string, where: string): string {
  const value = Object.hasOwn(input.secrets, name) ? input.secrets[name] : undefined
  if (value === undefined) {
    throw CONTAINER_SECRET_MISSING(name, where)
  }
  return value
}
