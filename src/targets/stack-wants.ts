import type { Probe } from '#commands/route-data.ts'
import type { StackService } from '#commands/swarm-data.ts'
import { durationOf, environmentOf, type WantedEnvironment } from './compose-environment.ts'
import { COMPOSE_SETTINGS_WRONG } from './compose-errors.ts'
import type { StackSettings } from './stack-settings.ts'
import type { LookInput, RegistryFacts } from './target.ts'
import { probeOf } from './verify-settings.ts'

const LONGEST_WITHIN_MS = 30 * 60_000

/** The settings with everything filled in: what the plan works with. */
export interface StackWants extends WantedEnvironment {
  readonly stack: string
  readonly files: readonly string[]
  /** Where built images go; undefined: they stay on this host. */
  readonly registry: RegistryFacts | undefined
  readonly withinMs: number
}

/** What the settings come to for one app and commit; throws when a secret has no value. */
export function stackWantsOf(input: LookInput<StackSettings>): StackWants {
  const { app, settings, registry } = input
  return {
    ...environmentOf(input),
    stack: settings.stack ?? app.name,
    files: stackFilesOf(settings),
    registry: settings.push === false ? undefined : registry,
    withinMs: durationOf('verify.within', settings.verify?.within ?? '5m', LONGEST_WITHIN_MS),
  }
}

export function stackFilesOf(settings: StackSettings): readonly string[] {
  return settings.files ?? ['compose.yaml']
}

/** The port to ask, and how; undefined when nothing says that anything answers over HTTP. */
export function askedOf(
  { verify }: StackSettings,
  services: Readonly<Record<string, StackService>>,
): { readonly port: number; readonly probe: Probe } | undefined {
  const { http, status, port } = verify ?? {}
  if (http === undefined && status === undefined && port === undefined) {
    return undefined
  }
  const published = Object.values(services).flatMap(service =>
    service.ports.filter(each => each.protocol === 'tcp').map(each => each.published),
  )
  const asked = port ?? published[0]
  if (asked === undefined || (port === undefined && published.length > 1)) {
    throw COMPOSE_SETTINGS_WRONG(
      'verify.port',
      published.length === 0
        ? 'no service publishes a port that could be asked'
        : `name one of the published ports ${published.join(', ')}`,
    )
  }
  if (!published.includes(asked)) {
    throw COMPOSE_SETTINGS_WRONG('verify.port', `no service publishes port ${asked}`)
  }
  return { port: asked, probe: probeOf({ ...(http ? { http } : {}), ...(status ? { status } : {}) }) ?? {} }
}
