import { deepEqual, equal } from 'node:assert/strict'
import { test } from 'node:test'
import { composeInputs } from './convention-compose.ts'

type Texts = Readonly<Record<string, string>>

/** What the file `deploy/docker-compose.shop.yml` takes from the tree. */
function takes(text: string, others: Texts = {}): readonly string[] {
  const file = 'deploy/docker-compose.shop.yml'
  return composeInputs([file], { [file]: text, ...others }).paths
}

const web = (service: string) => `services:\n  web: ${service}\n`

const KNOWN: readonly (readonly [string, string, readonly string[]])[] = [
  ['a context as a text', web('{ build: ../app }'), ['app']],
  [
    'a context with its Dockerfile',
    web('{ build: { context: app, dockerfile: ci/D } }'),
    [...['deploy/app', 'deploy/app/ci/D']],
  ],
  [
    'a Dockerfile beside its context, with what it leaves out',
    web('{ build: { context: ../app, dockerfile: ../docker/web.D } }'),
    ['app', 'docker/web.D', 'docker/web.D.dockerignore'],
  ],
  ['a build without context', web('{ build: { dockerfile: D } }'), ['deploy', 'deploy/D']],
  ['an empty context', web('{ build: "" }'), ['deploy']],
  [
    'a Dockerfile in the Compose file',
    web('{ build: { context: ../app, dockerfile_inline: FROM x } }'),
    ['app'],
  ],
  [
    'more contexts, as a map',
    web('{ build: { context: ../app, additional_contexts: { base: ../lib, x: "docker-image://x" } } }'),
    ['app', 'lib'],
  ],
  [
    'more contexts, as a list',
    web('{ build: { context: ../app, additional_contexts: ["base=../li=b"] } }'),
    ['app', 'li=b'],
  ],
  ['an environment file', web('{ env_file: web.env }'), ['deploy/web.env']],
  [
    'several of them, in both forms',
    web('{ env_file: [a.env, { path: ../b.env, required: false }] }'),
    ['b.env', 'deploy/a.env'],
  ],
  ['a file of labels', web('{ label_file: [../web.labels, x.labels] }'), ['deploy/x.labels', 'web.labels']],
  [
    'mounted files, in both forms',
    web(
      '{ volumes: ["./conf:/etc/x:ro", "data:/data", "/host:/x", { type: bind, source: ../site, target: /s }, { type: volume, source: data, target: /d }] }',
    ),
    ['deploy/conf', 'site'],
  ],
  [
    'files of configs and secrets',
    `${web('{ image: x, configs: [a], secrets: [b] }')}configs: { a: { file: a.conf }, c: { external: true } }\nsecrets: { b: { file: ../b.txt } }\n`,
    ['b.txt', 'deploy/a.conf'],
  ],
  [
    'a service of the same file',
    'services: { base: { build: ../app }, web: { extends: base }, api: { extends: { service: base } } }',
    ['app'],
  ],
  [
    'what is only said for development',
    web('{ image: x, develop: { watch: [{ path: ./src, action: sync }] } }'),
    [],
  ],
  ['a build elsewhere', web('{ build: { context: "https://git.example.org/x.git", dockerfile: D } }'), []],
  [
    'keys that people made up',
    `x-app: { build: nowhere }\n${web('{ image: x, x-more: { env_file: y } }')}`,
    [],
  ],
]

for (const [what, text, paths] of KNOWN) {
  test(`R54 a stack depends on what its Compose file takes: ${what}`, () => deepEqual(takes(text), paths))
}

test('R54 what a YAML merge brings counts: of a service, of a build, of several maps, below each other', () => {
  const merged = [
    'x-build: &build { context: ../app, dockerfile: D }',
    'x-env: &env { env_file: ../common.env }',
    'x-both: &both { <<: *env, build: { <<: *build } }',
    'services:',
    '  web: { build: { <<: *build, args: { A: "1" } } }',
    '  api: { <<: [*env, { build: ../other }], build: { <<: *build, context: ../api } }',
    '  job: { <<: *both, image: x }',
  ].join('\n')
  deepEqual(takes(merged), ['api', 'api/D', 'app', 'app/D', 'common.env'])
  deepEqual(takes(web('{ <<: text }')), ['**'])
})

test('R54 a service that extends one of another file depends on all that this one takes, from where it lies', () => {
  const shared = {
    'shared/base.yml':
      'services:\n  base: { image: team/base, build: app, env_file: base.env, extends: { file: ../core/core.yml, service: core } }\n',
    'core/core.yml':
      'services:\n  core: { label_file: core.labels, extends: { file: ../shared/base.yml, service: base } }\n',
  }
  const text = web('{ extends: { file: ../shared/base.yml, service: base } }')
  deepEqual(takes(text, shared), [
    ...['core/core.labels', 'core/core.yml', 'shared/app', 'shared/base.env', 'shared/base.yml'],
  ])
  const files = { 'docker-compose.a.yml': text.replace('..', '.'), ...shared }
  deepEqual(composeInputs(['docker-compose.a.yml'], files).images, ['team/base'])
})

test('R54 a stack that extends a file whose text nobody read depends on everything', () => {
  const text = web('{ image: x, extends: { file: ../shared/base.yml, service: base } }')
  deepEqual(takes(text), ['**'])
  deepEqual(takes(text, { 'shared/base.yml': 'services: {' }), ['**'])
  const deeper = web('{ extends: { file: gone.yml, service: x } }')
  deepEqual(takes(text, { 'shared/base.yml': deeper }), ['**'])
})

const UNKNOWN: readonly string[] = [
  'include: [other.yml]\nservices: {}\n',
  'something: new\nservices: {}\n',
  web('{ image: x, credential_spec: { file: x.json } }'),
  web('{ build: { context: ../app, something: new } }'),
  `${web('{ image: x }')}configs: { a: { path: a.conf } }\n`,
  web('{ build: "${WHERE}" }'),
  web('{ build: { context: "$WHERE" } }'),
  web('{ build: { context: ../app, dockerfile: "$WHICH" } }'),
  web('{ build: { context: ../app, additional_contexts: { a: "oci-layout://../layout" } } }').replace(
    '..',
    '$',
  ),
  web('{ build: [] }'),
  web('{ env_file: "${STAGE}.env" }'),
  web('{ label_file: 3 }'),
  web('{ volumes: ["${CONF:-./conf}:/etc/x"] }'),
  web('{ volumes: "./conf:/etc/x" }'),
  web('{ extends: { file: "${BASE}", service: x } }'),
  web('{ extends: [base] }'),
  web('text'),
  'services: [web]\n',
  'services: { web: !reset null }\n',
  '- no map\n',
  '',
  web('{ build: ../../outside }'),
  web('{ build: .. }'),
]

test('R54 a stack whose Compose file says what nobody here knows depends on everything', () => {
  for (const text of UNKNOWN) {
    deepEqual(takes(text), ['**'], text)
  }
})

test('R54 paths of several Compose files begin at the folder of the first, and what one cannot tell counts for all', () => {
  const texts = { 'a/one.yml': web('{ image: x }'), 'b/two.yml': web('{ build: app }') }
  deepEqual(composeInputs(['a/one.yml', 'b/two.yml'], texts).paths, ['a/app'])
  deepEqual(composeInputs(['a/one.yml', 'b/gone.yml'], texts).paths, ['**'])
})

test('R54 files that extend each other a thousand times are given up, not followed for ever', () => {
  const chain = Object.fromEntries(
    Array.from({ length: 1_000 }, (_, index) => [
      `deploy/${index}.yml`,
      web(`{ extends: { file: ${index + 1}.yml, service: web } }`),
    ]),
  )
  equal(takes(web('{ extends: { file: 0.yml, service: web } }'), chain).join(), '**')
})
