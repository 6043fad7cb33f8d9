import { posix } from 'node:path'
import { type Static, Type } from 'typebox'
import { BuildName, BuildTarget, TreePath } from '#commands/image-data.ts'
import { APP_SECRET_MISSING, APP_SETTING_WRONG } from './setting-errors.ts'
import type { LookInput } from './target.ts'

/** A build leaves twice its context in the cache and nothing else collects it. */
export const BUILD_CACHE = { hours: 24, bytes: 5_000_000_000 }

export const Scalar = Type.Union([Type.String({ maxLength: 65_536 }), Type.Number(), Type.Boolean()])

/** How an image is built from a Dockerfile; the same words for every target. */
export const BuildSettings = {
  dockerfile: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 1_024,
      description: 'From the root of the repository; default: Dockerfile in the context.',
    }),
  ),
  context: Type.Optional(TreePath),
  stage: Type.Optional(
    Type.String({ ...BuildTarget, description: 'Stage of the Dockerfile to build; default: the last.' }),
  ),
  args: Type.Optional(
    Type.Record(BuildName, Scalar, {
      description: 'Build arguments; never secrets: they stay in the image.',
    }),
  ),
  build_secrets: Type.Optional(
    Type.Array(BuildName, { maxItems: 32, description: 'Secrets for RUN --mount=type=secret,id=NAME.' }),
  ),
}
const _Build = Type.Object(BuildSettings)
export type BuildSettings = Static<typeof _Build>

/** The same with everything filled in. */
export interface BuildWants {
  readonly context: string
  readonly dockerfile: string
  readonly args: Readonly<Record<string, string>>
  readonly target?: string
  readonly secretNames: readonly string[]
}

export function buildWantsOf(settings: BuildSettings): BuildWants {
  const args = texts(settings.args ?? {})
  const secret = Object.entries(args).find(([, value]) => nameOfSecret(value) !== undefined)
  if (secret) {
    throw APP_SETTING_WRONG(
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
  }
}

/** Values of the secrets that the build mounts. */
export function buildSecretsOf(
  input: Pick<LookInput<BuildSettings>, 'settings' | 'secrets'>,
): Readonly<Record<string, string>> {
  const names = input.settings.build_secrets ?? []
  return Object.fromEntries(names.map(name => [name, secretNamed(input, name, 'build_secrets')]))
}

/** Path of the Dockerfile from the root of the repository. */
export function dockerfileOf(settings: BuildSettings): string {
  return settings.dockerfile ?? posix.join(settings.context ?? '.', 'Dockerfile')
}

/** Scalars of YAML as the texts they become, in a fixed order. */
export function texts(
  values: Readonly<Record<string, string | number | boolean>>,
): Readonly<Record<string, string>> {
  const entries = Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(entries.map(([key, value]) => [key, String(value)]))
}

/** The text, or the value of the secret that it names as "$NAME". */
export function revealedValue(
  input: Pick<LookInput<unknown>, 'secrets'>,
  written: string,
  where: string,
): string {
  const name = nameOfSecret(written)
  return name === undefined ? written.replace(/^\$\$/, '$') : secretNamed(input, name, where)
}

function nameOfSecret(written: string): string | undefined {
  return /^\$([A-Za-z_][A-Za-z0-9_]*)$/.exec(written)?.[1]
}

function secretNamed({ secrets }: Pick<LookInput<unknown>, 'secrets'>, name: string, where: string): string {
  const value = Object.hasOwn(secrets, name) ? secrets[name] : undefined
  if (value === undefined) {
    throw APP_SECRET_MISSING(name, where)
  }
  return value
}
