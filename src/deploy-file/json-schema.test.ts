import { deepEqual, equal, ok } from 'node:assert/strict'
import { test } from 'node:test'
import { deployFileJsonSchema } from './json-schema.ts'
import { COMMON_KEYS } from './schema.ts'
import { TEST_TARGETS } from './test-targets.ts'

const schema = JSON.parse(deployFileJsonSchema(TEST_TARGETS))
const [kinds] = Object.values(schema.properties.apps.patternProperties) as [{ anyOf: AppSchema[] }]

interface AppSchema {
  readonly title: string
  readonly required: readonly string[]
  readonly additionalProperties: boolean
  readonly properties: Readonly<Record<string, { readonly const?: string; readonly description?: string }>>
}

test('the schema for editors knows each target by its word and refuses what it does not know', () => {
  equal(schema.$schema, 'http://json-schema.org/draft-07/schema#')
  equal(schema.additionalProperties, false)
  deepEqual(schema.required, ['version', 'apps'])
  deepEqual(
    kinds.anyOf.map(({ title, required, additionalProperties, properties }) => [
      title,
      properties.target?.const,
      required,
      additionalProperties,
    ]),
    [
      ['boat', 'boat', ['port', 'target'], false],
      ['raft', 'raft', ['target'], false],
    ],
  )
})

test('the schema for editors explains the keys that all targets have', () => {
  deepEqual(COMMON_KEYS, [
    'target',
    'deadlines',
    'watch',
    'approval',
    'drift',
    'engine',
    'schedule',
    'secret_files',
    'url_file',
  ])
  for (const { properties } of kinds.anyOf) {
    ok(COMMON_KEYS.every(key => properties[key]?.description))
  }
})

test('the schema for editors offers only the settings of a target and the keys that all targets have', () => {
  deepEqual(
    kinds.anyOf.map(({ properties }) => Object.keys(properties).sort()),
    TEST_TARGETS.map(({ settings }) => [...Object.keys(settings.properties), ...COMMON_KEYS].sort()),
  )
})

test('the same targets give the same text', () => {
  equal(deployFileJsonSchema(TEST_TARGETS), deployFileJsonSchema([...TEST_TARGETS]))
})
