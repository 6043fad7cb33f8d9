import { deepEqual } from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { TARGETS } from '#targets/index.ts'
import { parseDeployFile } from './parse.ts'
import { appSchema, COMMON_KEYS } from './schema.ts'

const text = readFileSync(join(import.meta.dirname, 'example.yml'), 'utf8')
const { apps, problems } = parseDeployFile(text, 'example.yml', TARGETS)

test('the example has nothing that the schema does not know', () => {
  deepEqual(problems, [])
})

for (const target of TARGETS) {
  test(`the example shows every key of the target ${target.name}`, () => {
    const shown = apps
      .filter(app => app.target === target.name)
      .flatMap(({ settings }) => Object.keys(settings))
    const keys = Object.keys(appSchema(target).properties).filter(key => !COMMON_KEYS.includes(key))
    deepEqual(
      keys.filter(key => !shown.includes(key)),
      [],
    )
  })

  test(`the target ${target.name} takes no key that is the same for all targets`, () => {
    deepEqual(
      Object.keys(target.settings.properties).filter(key => COMMON_KEYS.includes(key)),
      [],
    )
  })
}

test('the example shows every key that all targets have', () => {
  const shown = new Set(apps.flatMap(({ common }) => Object.keys(common)))
  deepEqual([...shown, 'target'].sort(), [...COMMON_KEYS].sort())
})

test('the example has an app of every target', () => {
  const shown = apps.map(app => app.target)
  deepEqual(
    TARGETS.map(target => target.name).filter(name => !shown.includes(name)),
    [],
  )
})
