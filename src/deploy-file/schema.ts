import { type TObject, type TProperties, Type } from 'typebox'
import type { Target } from '#targets/target.ts'
import { EveryAppSettings } from './every-app.ts'

const strict = { additionalProperties: false } as const

/** Names of containers, projects and hosts are made from it. */
export const APP_NAME_PATTERN = '^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$'

const MAX_APPS = 500

/** Keys that are the same for every target; a target's settings have other ones. */
export const COMMON_KEYS: readonly string[] = ['target', ...Object.keys(EveryAppSettings.properties)]

const files = new WeakMap<readonly Target[], TObject>()
const apps = new WeakMap<Target, TObject>()

/** The deploy file as a whole, for the targets there are: validation, editors, docs and forms are made from it. */
export function deployFileSchema(targets: readonly Target[]): TObject {
  const schema = files.get(targets) ?? fileSchema(targets)
  files.set(targets, schema)
  return schema
}

/** One app of a target: the target's settings and what every app may say. */
export function appSchema(target: Target): TObject {
  const schema = apps.get(target) ?? makeAppSchema(target)
  apps.set(target, schema)
  return schema
}

function fileSchema(targets: readonly Target[]): TObject {
  return Type.Object(
    {
      version: Type.Literal(1, { description: 'Of this format.' }),
      apps: Type.Record(Type.String({ pattern: APP_NAME_PATTERN }), Type.Union(targets.map(appSchema)), {
        additionalProperties: false,
        minProperties: 1,
        maxProperties: MAX_APPS,
        description: 'By name: lower-case letters, digits and hyphens, at most 40 characters.',
      }),
    },
    strict,
  )
}

function makeAppSchema(target: Target): TObject {
  const properties: TProperties = {
    // First, so that a target cannot take the words that are the same for all.
    ...target.settings.properties,
    ...EveryAppSettings.properties,
    target: Type.Literal(target.name, { description: target.summary }),
  }
  return Type.Object(properties, { ...strict, title: target.name, description: target.summary })
}
