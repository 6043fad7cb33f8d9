import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { PACKAGE_ROOT } from '#lib/package-root.ts'
import { checkOptions } from './check-options.ts'
import { readStacksAsCode, stackTexts } from './stack-definitions.ts'

const FOLDER = join(PACKAGE_ROOT, 'examples/stacks')
const paths = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })
const texts = Object.fromEntries(
  stackTexts(paths).map(path => [path, readFileSync(join(FOLDER, path), 'utf8')]),
)
const { definitions, stacks } = readStacksAsCode(paths, texts)

test('R33 the examples have three described definitions and no problem', () => {
  assert.deepEqual(
    definitions.flatMap(({ problems }) => problems),
    [],
  )
  const described = definitions.filter(({ options }) => options.title !== undefined)
  assert.deepEqual(described.map(({ name }) => name).sort(), ['database', 'website', 'wiki'])
})

for (const { name, definition: of, kind, options } of stacks) {
  test(`R49 the stack ${name} of the examples has options that its definition takes`, () => {
    const definition = definitions.find(
      each => each.name === of && (each.kind === 'definition') === (kind === 'instance'),
    )
    assert.ok(definition)
    assert.deepEqual(checkOptions(definition.options, options).problems, [])
  })
}
