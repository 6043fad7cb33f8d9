import { createHash } from 'node:crypto'
import type { ContainerStartData } from '#commands/container-data.ts'
import { LONGEST_WATCH_MS } from '#commands/container-watch.ts'
import type { Guarded, Probe } from '#commands/route-data.ts'
import { canonicalJson } from '#lib/canonical-json.ts'
import { exposedPort } from '#programs/dockerfile.ts'
import { type BuildWants, buildSecretsOf, buildWantsOf, revealedValue, texts } from './build-settings.ts'
import { bytes, type ContainerSettings, milliseconds } from './container-settings.ts'
import { APP_SETTING_WRONG } from './setting-errors.ts'
import type { AppFacts, LookInput } from './target.ts'
import { probeOf, readyPathOf } from './verify-settings.ts'

export const LONGEST_WITHIN_MS = 10 * 60_000
const LONGEST_GRACE_MS = 10 * 60_000

/** The settings with everything filled in: what the plan works with. */
export interface ContainerWants extends RunWants {
  readonly image: BuildWants & { readonly repositoryName: string }
  readonly buildSecrets: Readonly<Record<string, string>>
}

/** How one container runs, whatever its image is made from. */
export interface RunWants {
  /** Host names that lead to it; empty when it is not routed. */
  readonly hosts: readonly string[]
  /** It has only this part of its hosts. */
  readonly prefix?: string
  /** How it is asked through the proxy. */
  readonly probe: Probe | undefined
  /** Only those may visit it who were let in; absent: everybody. */
  readonly guard?: Guarded
  /** People work with what serves: what is replaced goes on for them until they do not. */
  readonly holds?: boolean
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
  const image = { ...buildWantsOf(settings), repositoryName: settings.image_name ?? app.name }
  const port = settings.port ?? exposedPort(source.texts[image.dockerfile] ?? '')
  const writtenEnvironment = texts(settings.environment ?? {})
  return {
    image,
    buildSecrets: buildSecretsOf(input),
    hosts: hostsOf(settings, app, port),
    probe: probeOf(settings.verify, settings.health?.http),
    run: runOf(input, { port, writtenEnvironment }),
    writtenEnvironment,
    drainMs: milliseconds(settings.drain ?? '5s'),
    watchMs: between('verify.settle', settings.verify?.settle ?? '0s', LONGEST_WATCH_MS),
  }
}

/** The domains as they are written, or the app's name below the base domain; empty for an app that wants none. */
export function domainsOf(settings: Named, app: AppFacts): readonly string[] {
  const written = [...(settings.domain ? [settings.domain] : []), ...(settings.domains ?? [])]
  if (written.length > 0) {
    return [...new Set(written.map(domain => domain.toLowerCase()))]
  }
  return settings.domains || isPublishedOnly(settings) ? [] : [`${app.name}.${app.baseDomain}`]
}

type Named = Pick<ContainerSettings, 'domain' | 'domains' | 'port' | 'ports'>

/** Reached by ports of the host, and by no name. */
export function isPublishedOnly({ ports = [], port, domain, domains }: Named): boolean {
  return ports.length > 0 && port === undefined && domain === undefined && domains === undefined
}

/**
 * sha256 over everything that decides what runs and when it counts as ready. Values of secrets take part, so a rotated
 * one is a change; so does how its health is told, because nobody has seen a running container pass another check.
 */
export function configHashOf({ run }: Pick<RunWants, 'run'>, reference: string): string {
  return createHash('sha256')
    .update(canonicalJson({ version: 2, reference, run }))
    .digest('hex')
}

function hostsOf(settings: ContainerSettings, app: AppFacts, port: number | undefined): readonly string[] {
  const hosts = domainsOf(settings, app)
  if (port === undefined && (settings.domain || settings.domains?.length)) {
    throw APP_SETTING_WRONG(
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
        revealedValue(input, value, `environment.${key}`),
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
    ports: (settings.ports ?? []).map(({ open: _, from: __, ...port }) => port),
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
    throw APP_SETTING_WRONG(where, 'it needs the port that the app listens on')
  }
  return {
    ...(http === undefined ? {} : { http }),
    withinMs: between('health.within', within, LONGEST_WITHIN_MS),
    ...(interval ? { intervalMs: Math.min(60_000, Math.max(10, milliseconds(interval))) } : {}),
  }
}

export function between(setting: string, text: string, most: number): number {
  const ms = milliseconds(text)
  if (ms > most) {
    throw APP_SETTING_WRONG(setting, `it is longer than ${most / 60_000} minutes`)
  }
  return ms
}

export function memoryOf(text: string): number {
  const wanted = bytes(text)
  if (wanted < bytes('6m')) {
    throw APP_SETTING_WRONG('memory', 'a container needs at least 6m')
  }
  return wanted
}
