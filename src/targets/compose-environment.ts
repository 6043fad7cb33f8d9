import { readDuration } from '#lib/duration.ts'
import { COMPOSE_SECRET_MISSING, COMPOSE_SETTINGS_WRONG } from './compose-errors.ts'
import type { LookInput } from './target.ts'

/** Variables for `${NAME}` in Compose files. */
export interface WantedEnvironment {
  readonly variables: Readonly<Record<string, string>>
  readonly secrets: Readonly<Record<string, string>>
  /** Variables as they are written, secrets by their names. */
  readonly writtenEnvironment: Readonly<Record<string, string>>
}

type Scalars = Readonly<Record<string, string | number | boolean>>

/** Throws when a secret has no value. */
export function environmentOf({
  settings,
  secrets,
}: Pick<LookInput<{ readonly environment?: Scalars }>, 'settings' | 'secrets'>): WantedEnvironment {
  // Scalars of YAML as the texts they become, in a fixed order.
  const written = Object.entries(settings.environment ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]): [string, string] => [name, String(value)])
  const isSecret = ([, value]: [string, string]) => nameOfSecret(value) !== undefined
  const plain = written.filter(entry => !isSecret(entry))
  return {
    variables: Object.fromEntries(plain.map(([name, value]) => [name, value.replace(/^\$\$/, '$')])),
    secrets: Object.fromEntries(
      written.filter(isSecret).map(([name, value]) => [name, secretFor(secrets, name, value)]),
    ),
    writtenEnvironment: Object.fromEntries(written),
  }
}

function nameOfSecret(written: string): string | undefined {
  return /^\$([A-Za-z_][A-Za-z0-9_]*)$/.exec(written)?.[1]
}

function secretFor(secrets: Readonly<Record<string, string>>, variable: string, written: string): string {
  const name = nameOfSecret(written) ?? ''
  const value = Object.hasOwn(secrets, name) ? secrets[name] : undefined
  if (value === undefined) {
    throw COMPOSE_SECRET_MISSING(name, `environment.${variable}`)
  }
  return value
}

export function durationOf(setting: string, text: string, most: number): number {
  const ms = readDuration(text) ?? 0
  if (ms > most) {
    throw COMPOSE_SETTINGS_WRONG(setting, `it is longer than ${most / 60_000} minutes`)
  }
  return ms
}
