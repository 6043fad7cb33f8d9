import { deepEqual, equal } from 'node:assert/strict'
import { test } from 'node:test'
import { conventionTexts } from './convention-apps.ts'
import { readApps } from './read-apps.ts'
import { conventionTargets } from './test-targets.ts'

const SCHEMA = {
  type: 'object',
  properties: {
    PORT: { type: 'integer', minimum: 1024 },
    REPLICAS: { type: 'integer', default: 2 },
    PASSWORD: { type: 'string', writeOnly: true, default: '$SITE_PASSWORD' },
    NAME: { type: 'string', pattern: '^[a-z]+$' },
  },
  required: ['PORT'],
}
const DEFINITION = 'deploy/docker-compose.site.yml'
const DESCRIBED = 'deploy/docker-compose.site.schema.json'
const INSTANCE = 'simple-stack-instance.site.docs.json'

function read(parameters: readonly object[], more: Readonly<Record<string, string>> = {}) {
  const texts: Record<string, string> = {
    [DEFINITION]: 'services:\n  web:\n    image: web:${TAG:-1}\n',
    [DESCRIBED]: JSON.stringify(SCHEMA),
    [INSTANCE]: JSON.stringify({ enabled: true, parameters }, null, 2),
    ...more,
  }
  const paths = Object.keys(texts)
  const wanted = Object.fromEntries(conventionTexts(paths).map(path => [path, texts[path] ?? '']))
  return readApps({ texts: wanted, paths, repositoryName: 'infra', targets: conventionTargets() })
}

test('R29 R49 defaults beside a definition reach the Compose files, and what a file gives goes before them', () => {
  const { apps, problems } = read([
    { name: 'PORT', value: 8090 },
    { name: 'REPLICAS', value: '5' },
    { name: 'OTHER', value: 'left to Compose' },
  ])
  deepEqual(problems, [])
  deepEqual(apps[0]?.settings.environment, {
    ...{ PORT: 8090, REPLICAS: '5', PASSWORD: '$SITE_PASSWORD' },
    OTHER: 'left to Compose',
  })
  equal(apps[0]?.files?.paths.includes(DESCRIBED), true)
})

test('R54 a description of options that comes or goes is a change of the stack', () => {
  const { apps } = read([], {
    [DEFINITION]: 'services: {}',
    [DESCRIBED]: '{ "type": "object", "properties": {} }',
  })
  equal(apps[0]?.common.watch?.includes(DESCRIBED), true)
})

test('R29 the defaults of a definition of several Compose files reach them too', () => {
  const { apps } = read([], {
    'stack-definition.shop.json': '{ "composes": ["site"] }',
    'stack-definition.shop.schema.json': JSON.stringify({
      ...{ type: 'object', properties: { TAG: { type: 'string', default: '7' } } },
    }),
    'stack-instance.shop.north.json': '{ "enabled": true }',
  })
  deepEqual(
    apps.map(({ name, settings }) => [name, settings.environment]),
    [['north', { TAG: '7' }]],
  )
})

for (const [what, parameters, problem] of [
  ['a missing parameter', [], `${INSTANCE}:3 PORT is missing`],
  ['a value that does not fit', [{ name: 'PORT', value: '80' }], `${INSTANCE}:6 PORT is 80`],
  [
    'a secret in clear',
    [
      { name: 'PORT', value: 8090 },
      { name: 'PASSWORD', value: 'x' },
    ],
    `${INSTANCE}:10 PASSWORD is a secret: its value would stand in the repository`,
  ],
] as const) {
  test(`R49 ${what} in a file is told with its line and what is expected, and the stack stays as it is`, () => {
    const { apps, problems } = read(parameters)
    deepEqual(apps, [])
    deepEqual(
      problems.map(({ file, line, message }) => `${file}:${line} ${message}`),
      [problem],
    )
    equal(
      problems.every(({ expected = '' }) => expected !== ''),
      true,
    )
  })
}

test('R29 a description that is wrong is told with its line, and deploys nothing of it', () => {
  const { apps, problems } = read([{ name: 'PORT', value: 8090 }], {
    [DESCRIBED]: '{\n  "type": "object",\n  "properties": { "PORT": { "type": "list" } }\n}',
  })
  deepEqual(apps, [])
  deepEqual(
    problems.map(({ file, line }) => [file, line]),
    [[DESCRIBED, 3]],
  )
})

test('a description of options in the early spelling is no stack', () => {
  const { apps } = read([], {
    ...{ [INSTANCE]: '{ "enabled": false }', 'docker-compose-old.yml': 'services: {}' },
    'docker-compose-old.schema.json': '{ "type": "object", "properties": {} }',
  })
  deepEqual(
    apps.map(({ name }) => name),
    ['old'],
  )
})
