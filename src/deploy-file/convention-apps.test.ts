import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { describe, test } from 'node:test'
import { claimedApps, conventionTexts } from './convention-apps.ts'
import { readApps } from './read-apps.ts'
import { conventionTargets } from './test-targets.ts'

type Texts = Readonly<Record<string, string>>

const TARGETS = conventionTargets()
const WEB = 'services:\n  web:\n    image: team/web:1.0\n'

function read(texts: Texts) {
  return readApps({ texts, paths: Object.keys(texts), repositoryName: 'infra', targets: TARGETS })
}

function json(value: unknown): string {
  return JSON.stringify(value, null, 2)
}

const instance = (more: object = {}) => json({ enabled: true, ...more })

describe('config as code', () => {
  test('R48 R49 R50 an instance of a definition is a stack of its Compose files in order, with its parameters', () => {
    const { apps, problems, source } = read({
      'a/docker-compose.base.yml': WEB,
      'b/docker-compose.more.json': json({ services: {} }),
      'stack-definition.shop.json': json({ composes: ['base', 'docker-compose.more.json'] }),
      'live/stack-instance.shop.my_shop.json': instance({
        parameters: [
          { name: 'TAG', value: '1.0' },
          { name: 'PASSWORD', value: '$DB_PASSWORD' },
        ],
      }),
    })
    deepEqual(problems, [])
    equal(source, 'convention')
    deepEqual(apps, [
      {
        name: 'my-shop',
        target: 'stack',
        settings: {
          files: ['a/docker-compose.base.yml', 'b/docker-compose.more.json'],
          stack: 'my_shop',
          environment: { TAG: '1.0', PASSWORD: '$DB_PASSWORD' },
        },
        common: {
          watch: [
            'live/stack-instance.shop.my_shop.json',
            'stack-definition.shop.json',
            'a/docker-compose.base.yml',
            'b/docker-compose.more.json',
            'stack-definition.shop.schema.json',
          ],
        },
        files: {
          kind: 'stack',
          name: 'my_shop',
          paths: [
            'live/stack-instance.shop.my_shop.json',
            'stack-definition.shop.json',
            'a/docker-compose.base.yml',
            'b/docker-compose.more.json',
          ],
          uses: [],
        },
      },
    ])
  })

  test('R53 a suffix lets one stack name be on several engines', () => {
    const { apps, problems } = read({
      'docker-compose.web.yml': WEB,
      'simple-stack-instance.web.live.eu.json': instance(),
      'simple-stack-instance.web.live.us.json': instance(),
    })
    deepEqual(problems, [])
    deepEqual(
      apps.map(({ name, settings, common }) => [
        name,
        settings.stack,
        (common as { engine?: string }).engine,
      ]),
      [
        ['live-eu', 'live', 'eu'],
        ['live-us', 'live', 'us'],
      ],
    )
  })

  test('R23 R25 R57 in the early spelling a Compose file is a stack by itself, and stack-<x>.json switches it off', () => {
    const { apps, problems, convention } = read({
      'docker-compose-my.shop.yml': WEB,
      'docker-compose-old.yml': WEB,
      'stack-old.json': json({ enabled: false }),
    })
    deepEqual(problems, [])
    deepEqual(
      apps.map(({ name, settings }) => [name, settings]),
      [['my-shop', { files: ['docker-compose-my.shop.yml'], stack: 'my_shop' }]],
    )
    equal(convention?.entries.get('old')?.state, 'disabled')
  })

  test('R45 in the newer spelling a Compose file alone is nothing, and an instance makes an early one a part', () => {
    equal(read({ 'docker-compose.web.yml': WEB }).convention, undefined)
    const { apps, convention } = read({
      'docker-compose-web.yml': WEB,
      'simple-stack-instance.web.live.json': instance(),
    })
    equal(apps.map(({ name }) => name).join(), 'live')
    equal(convention?.entries.get('web')?.state, 'part')
  })

  test('R24 R47 an image has its tag, pushes, arguments and the context from the folder of its Dockerfile', () => {
    const { apps, problems } = read({
      'web/docker/Dockerfile.web': 'FROM scratch\n',
      'conf/image.web.json': json({
        tag: 'team/web:1.0',
        push: ['registry.example.org/team/web:1.0', 'registry.example.org/team/web:latest'],
        context: '..',
        parameters: [{ name: 'LEVEL', value: 3 }],
      }),
      'Dockerfile-plain': 'FROM scratch\n',
    })
    deepEqual(problems, [])
    deepEqual(
      apps.map(({ name, target, settings, common }) => ({ name, target, settings, watch: common.watch })),
      [
        {
          name: 'image-web',
          target: 'image',
          settings: {
            dockerfile: 'web/docker/Dockerfile.web',
            context: 'web',
            name: 'team/web',
            version: '1.0',
            push: ['registry.example.org/team/web:1.0', 'registry.example.org/team/web:latest'],
            args: { LEVEL: 3 },
          },
          watch: [
            ...['conf/image.web.json', 'web/docker/Dockerfile.web'],
            ...['web/docker/Dockerfile.web.dockerignore', 'web'],
          ],
        },
        {
          name: 'image-plain',
          target: 'image',
          settings: {
            ...{ dockerfile: 'Dockerfile-plain', context: '.' },
            ...{ name: 'plain', version: 'latest', push: [] },
          },
          watch: ['**'],
        },
      ],
    )
  })

  test('R54 a stack depends on its build contexts and the files that its services take, and on no others', () => {
    const compose = [
      'services:',
      '  web: { build: { context: ./web, dockerfile: ../docker/web } }',
      '  api: { build: ../api, env_file: [api.env] }',
      '  far: { build: "https://git.example.org/x.git" }',
      'configs: { proxy: { file: proxy.conf } }',
    ].join('\n')
    const { apps } = read({
      'deploy/docker-compose.shop.yml': compose,
      'simple-stack-instance.shop.shop.json': instance(),
    })
    deepEqual(apps[0]?.common.watch, [
      'simple-stack-instance.shop.shop.json',
      'deploy/docker-compose.shop.yml',
      'deploy/docker-compose.shop.schema.json',
      'api',
      'deploy/api.env',
      ...['deploy/docker/web', 'deploy/docker/web.dockerignore'],
      'deploy/proxy.conf',
      'deploy/web',
    ])
  })

  test('images come before the stacks that run them, by tag or by pushed name', () => {
    const { apps } = read({
      'a/simple-stack-instance.web.live.json': instance(),
      'a/docker-compose.web.yml':
        'services:\n  web: { image: "team/web:${TAG:-1.0}" }\n  far: { image: "registry.example.org/api" }\n',
      'Dockerfile.web': '',
      'Dockerfile.api': '',
      'image.web.json': json({ tag: 'team/web:1.0' }),
      'image.api.json': json({ tag: 'api:2', push: 'registry.example.org/api:latest' }),
    })
    deepEqual(
      apps.map(({ name, files }) => [name, files?.uses]),
      [
        ['image-api', []],
        ['image-web', []],
        ['live', ['image-api', 'image-web']],
      ],
    )
  })

  test('a Dockerfile or Compose file at the root stays the app beside files in the early spelling alone', () => {
    const early = { 'docker-compose-dev.yml': WEB, 'Dockerfile-dev': '' }
    equal(read({ ...early, Dockerfile: '' }).convention, undefined)
    deepEqual([...claimedApps(Object.keys(early))].sort(), ['dev', 'image-dev'])
    ok(read({ ...early, Dockerfile: '', 'stack-dev.json': '{}' }).convention)
  })

  test('is not looked for where a deploy file or a named Compose file says what is deployed', () => {
    const files = { 'docker-compose-web.yml': WEB }
    equal(read({ ...files, 'fairlead.yaml': '' }).convention, undefined)
    const tree = { texts: files, paths: Object.keys(files), repositoryName: 'infra', targets: TARGETS }
    equal(readApps({ ...tree, composePath: 'docker-compose-web.yml' }).convention, undefined)
    deepEqual(conventionTexts(['README.md', 'Dockerfile-x', 'a/image-x.json']), ['a/image-x.json'])
    deepEqual(conventionTexts(['Dockerfile', 'fixtures/image-1.json']), [])
  })
})

describe('config as code that is wrong', () => {
  const problemsOf = (texts: Texts) =>
    read(texts).problems.map(
      ({ file, line, column, path, message }) =>
        `${file}${line === undefined ? '' : `:${line}:${column}`} ${path} ${message}`,
    )

  test('R52 names that are there twice are all discarded, and each file is told of the others', () => {
    const texts = {
      'a/docker-compose.web.yml': WEB,
      'b/docker-compose.web.json': '{}',
      'docker-compose.api.yml': WEB,
      'simple-stack-instance.web.live.json': instance(),
      'simple-stack-instance.api.api.json': instance(),
      'a/stack-instance.x.twice.json': instance(),
      'simple-stack-instance.api.twice.json': instance(),
    }
    deepEqual(problemsOf(texts), [
      'a/docker-compose.web.yml  has the name of b/docker-compose.web.json',
      'b/docker-compose.web.json  has the name of a/docker-compose.web.yml',
      'a/stack-instance.x.twice.json  has the name of simple-stack-instance.api.twice.json',
      'simple-stack-instance.api.twice.json  has the name of a/stack-instance.x.twice.json',
      'simple-stack-instance.web.live.json  needs the Compose file "web", which is not there',
    ])
    const { apps, convention } = read(texts)
    deepEqual(
      apps.map(({ name }) => name),
      ['api'],
    )
    equal(convention?.entries.get('live')?.state, 'broken')
    equal(convention?.entries.get('twice')?.state, 'broken')
  })

  test('R52 names that are the same app are discarded too', () => {
    deepEqual(
      read({
        'docker-compose.web.yml': WEB,
        'simple-stack-instance.web.My_Shop.json': instance(),
        'simple-stack-instance.web.my-shop.json': instance(),
      }).apps,
      [],
    )
  })

  test('is named with file, line and column, and the rest of the tree is deployed', () => {
    const texts = {
      'docker-compose.web.yml': WEB,
      'docker-compose.bad.json': '{\n  "services": {,}\n}',
      'stack-definition.shop.json': json({ composes: ['web', 'missing'] }),
      'stack-instance.shop.shop.json': instance(),
      'stack-instance.unknown.lost.json': instance(),
      'simple-stack-instance.web.good.json': instance(),
      'simple-stack-instance.web.typo.json': '{\n  "enabled": "yes",\n  "paramters": []\n}',
      'simple-stack-instance.web.cut.json': '{\n  "enabled": true,\n',
      'simple-stack-instance.bad.bad.json': instance(),
      'simple-stack-instance.web.double.json': '{ "enabled": true, "enabled": false }',
      'image.x.json': json({ tag: 'UPPER' }),
      'Dockerfile.x': '',
      'image.lonely.json': json({ tag: 'a:1' }),
    }
    deepEqual(problemsOf(texts), [
      'image.lonely.json  has no Dockerfile',
      'image.x.json:2:10 tag is not the name of an image',
      'docker-compose.bad.json:2:16  is not JSON: Unexpected token Comma found.',
      'simple-stack-instance.web.cut.json:2:18  is not JSON: Unexpected token Comma found.',
      'simple-stack-instance.web.double.json:1:20  has the key "enabled" twice',
      'simple-stack-instance.web.typo.json:2:14 enabled is a text',
      'simple-stack-instance.web.typo.json:3:3 paramters is not a known key; did you mean "parameters"?',
      'stack-definition.shop.json:4:5 composes.1 needs the Compose file "missing", which is not there',
      'stack-instance.unknown.lost.json  needs the definition "unknown", which is not there',
    ])
    deepEqual(
      read(texts).apps.map(({ name }) => name),
      ['good'],
    )
  })

  test('R49 a parameter that is named twice is an error at its line, of a stack and of an image', () => {
    const twice = (more: string) =>
      `{\n  ${more},\n  "parameters": [\n    { "name": "A", "value": "1" },\n    { "name": "B", "value": "$B" },\n    { "name": "A", "value": "2" }\n  ]\n}\n`
    const texts = {
      'docker-compose.web.yml': WEB,
      'docker-compose-early.yml': WEB,
      'stack-early.json': twice('"enabled": true'),
      'simple-stack-instance.web.live.json': twice('"enabled": true'),
      'simple-stack-instance.web.key.json': '{"enabled": true, "parameters": [],\n"parameters": []}',
      'Dockerfile.x': '',
      'image.x.json': twice('"tag": "x:1"'),
    }
    deepEqual(problemsOf(texts), [
      'image.x.json:6:15 parameters.2.name names "A" again',
      'simple-stack-instance.web.key.json:2:1  has the key "parameters" twice',
      'simple-stack-instance.web.live.json:6:15 parameters.2.name names "A" again',
      'stack-early.json:6:15 parameters.2.name names "A" again',
    ])
    deepEqual(read(texts).apps, [])
  })

  test('a definition that cannot be read does not set its parts free as stacks', () => {
    const { apps } = read({
      'docker-compose-web.yml': WEB,
      'stack-definition.shop.json': '{ "composes": ["docker-compose-web.yml" }',
      'stack-instance.shop.shop.json': instance(),
    })
    deepEqual(apps, [])
  })

  test('an image takes no secret as a build argument, and no context outside of the repository', () => {
    const problems = read({
      'Dockerfile.x': '',
      'image.x.json': json({
        ...{ tag: 'git.example.org/a:1', push: 'a:1', context: '..' },
        parameters: [{ name: 'T', value: '$TOKEN' }],
      }),
    }).problems
    deepEqual(
      problems.map(({ message }) => message),
      [
        'leaves the repository',
        'is in a registry to which it is not pushed',
        'names no registry',
        'is a secret',
      ],
    )
    match(problems[3]?.expected ?? '', /build_secrets.*id=TOKEN/)
  })
})

describe('where files lie', () => {
  const FILES: Texts = {
    'docker-compose.web.yml': WEB,
    'docker-compose.api.yml': WEB,
    'docker-compose-early.yml': WEB,
    'stack-definition.both.json': json({ composes: ['web', 'api'] }),
    'stack-instance.both.both.json': instance(),
    'simple-stack-instance.web.one.json': instance(),
    'simple-stack-instance.api.off.json': json({ enabled: false }),
    'image.web.json': json({ tag: 'team/web:1.0' }),
    'Dockerfile.web': '',
  }

  test('R52 R54 says nothing: shuffled into any folders they give the same apps, and none goes', () => {
    const expected = shapeOf(FILES)
    for (let seed = 1; seed <= 200; seed++) {
      const next = random(seed)
      const moved = Object.entries(FILES)
        .map(([path, text]) => ({ path: `${folder(next)}${path}`, text, order: next() }))
        .sort((a, b) => a.order - b.order)
      deepEqual(
        shapeOf(Object.fromEntries(moved.map(({ path, text }) => [path, text]))),
        expected,
        `seed ${seed}`,
      )
    }
  })

  /** What runs: everything but the paths. */
  function shapeOf(texts: Texts) {
    const { apps, problems, convention } = read(texts)
    const shapes = apps.map(({ name, target, settings, files }) => ({
      name,
      target,
      files: [settings.files ?? settings.dockerfile].flat().map(path => String(path).split('/').at(-1)),
      rest: { stack: settings.stack, name: settings.name, version: settings.version },
      uses: files?.uses,
    }))
    const states = [...(convention?.entries ?? [])].map(([name, { state }]) => `${name} ${state}`).sort()
    return { shapes: shapes.sort((a, b) => (a.name < b.name ? -1 : 1)), problems, states }
  }

  function folder(next: () => number): string {
    return Array.from({ length: Math.floor(next() * 4) }, () => `${'abcd'[Math.floor(next() * 4)]}/`).join('')
  }

  function random(seed: number): () => number {
    let state = seed
    return () => {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
      return state / 2_147_483_648
    }
  }
})
