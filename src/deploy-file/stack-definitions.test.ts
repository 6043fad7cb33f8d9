import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readStacksAsCode, stackTexts } from './stack-definitions.ts'

const TEXTS = {
  'a/docker-compose.web.yml': 'services:\n  web:\n    image: web:${TAG:-1}\n',
  'b/docker-compose.db.yml': 'services:\n  db:\n    image: db:${DB_TAG}\n',
  'stack-definition.shop.json': '{ "composes": ["web", "docker-compose.db.yml"] }',
  'stack-definition.shop.schema.json':
    '{ "type": "object", "properties": { "DB_TAG": { "type": "string", "title": "Version" } } }',
  'stacks/stack-instance.shop.north.json':
    '{ "enabled": true, "parameters": [{ "name": "DB_TAG", "value": "17" }] }',
  'stacks/simple-stack-instance.web.docs.big.json': '{ "enabled": false }',
  'docker-compose-old.yml': 'services: {}',
  'docker-compose-older.yml': 'services: {}',
  'stack-older.json': '{ "enabled": false }',
  'README.md': '# x',
  'Dockerfile.web': 'FROM x',
}
const read = (texts: Readonly<Record<string, string>>) => readStacksAsCode(Object.keys(texts), texts)

test('R33 R35 definitions are the lists of Compose files and the Compose files themselves, each with its options', () => {
  const { definitions } = read(TEXTS)
  assert.deepEqual(
    definitions.map(({ name, kind, composes, options, problems }) => [
      ...[name, kind, composes, Object.keys(options.properties), options.required, problems.length],
    ]),
    [
      ['web', 'compose', ['a/docker-compose.web.yml'], ['TAG'], [], 0],
      ['db', 'compose', ['b/docker-compose.db.yml'], ['DB_TAG'], ['DB_TAG'], 0],
      ['old', 'compose', ['docker-compose-old.yml'], [], [], 0],
      ['older', 'compose', ['docker-compose-older.yml'], [], [], 0],
      [
        'shop',
        'definition',
        ['a/docker-compose.web.yml', 'b/docker-compose.db.yml'],
        ['DB_TAG', 'TAG'],
        [],
        0,
      ],
    ],
  )
  assert.equal(definitions.at(-1)?.options.properties.DB_TAG?.title, 'Version')
})

test('R28 R35 stacks are what files say, with their definition, engine and options, running or not', () => {
  const { stacks } = read(TEXTS)
  assert.deepEqual(
    stacks.map(({ name, kind, definition, engine, enabled, options }) => [
      ...[name, kind, definition, engine, enabled, options],
    ]),
    [
      ['old', 'compose', 'old', undefined, true, {}],
      ['older', 'stack', 'older', undefined, false, {}],
      ['docs', 'simple-instance', 'web', 'big', false, {}],
      ['north', 'instance', 'shop', undefined, true, { DB_TAG: '17' }],
    ],
  )
})

test('R33 what is wrong with a definition stands with it, and the others are not touched', () => {
  const { definitions } = read({
    ...TEXTS,
    'c/docker-compose.web.yml': 'services: {}',
    'stack-definition.bad.json': '{ "composes": ["nowhere"] ',
    'stack-definition.shop.schema.json': '{ "type": "object", "properties": { "X": { "type": "object" } } }',
  })
  const problems = (name: string) =>
    definitions
      .filter(each => each.name === name)
      .flatMap(each => each.problems.map(({ message }) => message))
  assert.match(problems('web').join(), /has the name of c\/docker-compose\.web\.yml/)
  assert.match(problems('shop').join(), /"web", which is there 2 times.*is not known: "object"/)
  assert.equal(problems('bad').length, 1)
  assert.deepEqual(problems('db'), [])
})

test('texts are wanted of what speaks of stacks only', () => {
  assert.deepEqual(
    stackTexts(Object.keys(TEXTS)),
    Object.keys(TEXTS)
      .filter(path => !['README.md', 'Dockerfile.web'].includes(path))
      .sort(),
  )
})

test('R28 Compose files that are parts of definitions and instances are no stacks, whichever way they are spelled', () => {
  const { stacks } = read({
    'docker-compose-web.yml': 'services: {}',
    'docker-compose-db.yml': 'services: {}',
    'docker-compose-alone.yml': 'services: {}',
    'stack-definition.shop.json': '{ "composes": ["docker-compose-db.yml"] ',
    'simple-stack-instance.web.docs.json': '{ "enabled": true }',
  })
  assert.deepEqual(stacks.map(({ name }) => name).sort(), ['alone', 'docs'])
})

test('R28 beside the Compose file that is the app, others in the early spelling are no stacks', () => {
  const files = { 'docker-compose.yml': 'services: {}', 'docker-compose-dev.yml': 'services: {}' }
  assert.deepEqual(read(files).stacks, [])
})
