import { deepEqual, equal, ok } from 'node:assert/strict'
import { test } from 'node:test'
import { FairleadError } from '#lib/errors.ts'
import { targetNamed } from '#targets/index.ts'
import type { PlanInput, TargetRules, Tell } from '#targets/target.ts'
import { makePlan } from './make-plan.ts'

const GIB = 1024 ** 3
const COMMIT = 'c'.repeat(40)
const TREE = `t-${'1'.repeat(32)}`
const RULES: TargetRules = {
  mode: 'enforce',
  ports: { from: 20_000, to: 20_100, never: [22] },
  registries: ['registry.example'],
  limits: { memoryBytes: 2 * GIB },
}
const FROM = 'FROM registry.example/base:1\n'
const ADDS = `${FROM}ADD https://example.org/x /x\n`
const build = { context: 'web', dockerfile: 'web/Dockerfile', args: {}, secrets: {} }
const service = { build, replicas: 1, ports: [], dependsOn: [], mayComplete: true, alone: [] }
const services = { web: { ...service, hash: 'a'.repeat(64), isBeside: true, volumes: [] } }
const render = { render: 'b'.repeat(64), services, routes: [], findings: [], warnings: [] }
const image = { reference: `fairlead/shop:${TREE}`, tag: TREE, registry: 'none' }
const around = { containers: { containers: [] }, routes: { routes: { shop: null } } }
const content = { key: `t-${'2'.repeat(24)}`, reference: 'fairlead/notebooks/p/shop:t-2', registry: 'none' }
const environment = {
  ...{ key: `e-${'3'.repeat(24)}`, reference: 'fairlead/notebooks/env:e-3', present: 'missing' },
}
const examined = {
  ...{ slug: 'shop', title: 'Shop', notebooks: ['a.ipynb'], entry: 'a.ipynb', language: 'python' },
  ...{ pack: 'docker', versions: {}, settings: {}, warnings: [], problems: [], inputs: [] },
  ...{ isAppendable: true, dockerfile: '', environment, content },
}

interface Case {
  readonly target: string
  readonly settings?: Readonly<Record<string, unknown>>
  /** Files of the commit; those of `unread` are not read before the plan asks. */
  readonly texts?: Readonly<Record<string, string>>
  readonly unread?: Readonly<Record<string, string>>
  readonly found?: Readonly<Record<string, unknown>>
}

const COMPOSE = { target: 'compose', settings: { files: ['compose.yaml'], routes: [] } }
const BUILT_BY_COMPOSE = {
  ...COMPOSE,
  texts: { 'compose.yaml': 'services: { web: { build: web } }' },
  found: { render, images: { images: [{ ...image, key: 'web' }] }, containers: { containers: [] } },
}
const STACK = { target: 'stack', settings: { files: ['stack.yaml'] } }
const nodes = [{ name: 'n', state: 'ready', availability: 'active' }]
const BUILT_BY_STACK = {
  ...STACK,
  texts: { 'stack.yaml': 'services: { web: { build: web } }' },
  found: {
    ...{ render, swarm: { nodes, services: [] } },
    images: { images: [{ ...image, key: 'web', registry: 'missing' }] },
  },
}
const CONTAINER = {
  ...{ target: 'container', settings: { port: 8080 } },
  found: { ...around, content: { images: [{ ...image, key: 'shop' }] } },
}
const IMAGE = {
  ...{ target: 'image', settings: { version: '1.0.0', registries: ['registry.example'] } },
  found: {
    content: { images: [{ ...image, key: 'shop' }] },
    published: {
      local: null,
      references: [{ reference: 'registry.example/shop:1.0.0', state: 'missing' }],
      bytes: null,
    },
  },
}
const NOTEBOOK = {
  ...{ target: 'notebook', settings: { folder: 'reports' } },
  found: { ...around, examined },
}

/** What the manager refuses, and what it had asked the worker until then. */
async function planned(each: Case, rules?: TargetRules) {
  const { texts = {}, unread = {}, found = {} } = each
  const target = targetNamed(each.target)
  ok(target)
  const asked: string[] = []
  const ask = async ({ key, command, data }: Tell) => {
    asked.push(command)
    if (command === 'repository.read') {
      const paths = data.paths as string[]
      return { texts: Object.fromEntries(Object.entries(unread).filter(([path]) => paths.includes(path))) }
    }
    return found[key] as Readonly<Record<string, unknown>>
  }
  const source = {
    ...{ commit: COMMIT, branch: 'main', repository: 'r1', texts },
    ...{ subject: 'Say hello', author: 'Ada', paths: Object.keys({ ...texts, ...unread }) },
  }
  const input: Omit<PlanInput<unknown>, 'settings' | 'source' | 'found'> = {
    ...{ app: { name: 'shop', baseDomain: 'example.org' }, rules, secrets: {}, previous: undefined },
    ...{ deployment: '01990000-0000-7000-8000-00000000000b' },
    registry: { address: 'registry.example', username: 'ada', password: 'lovelace' },
  }
  try {
    await makePlan(ask, { target, settings: each.settings ?? {}, source }, input)
    return { refused: undefined, asked }
  } catch (error) {
    if (!(error instanceof FairleadError)) {
      throw error
    }
    const { problems = [], code } = error
    return { refused: [code, ...problems.map(({ file, line }) => `${file}:${line}`)].join(' '), asked }
  }
}

const PRIVILEGED = 'services:\n  web:\n    image: registry.example/a\n    privileged: true\n'
const REFUSED: Readonly<Record<string, readonly [Case, string, Case?]>> = {
  'Compose files': [
    { ...COMPOSE, texts: { 'compose.yaml': PRIVILEGED } },
    'COMPOSE_NOT_ALLOWED compose.yaml:4',
  ],
  'files of a stack': [{ ...STACK, texts: { 'stack.yaml': PRIVILEGED } }, 'COMPOSE_NOT_ALLOWED stack.yaml:4'],
  'the Dockerfile of a service of Compose': [
    { ...BUILT_BY_COMPOSE, unread: { 'web/Dockerfile': ADDS } },
    'DOCKERFILE_REFUSED web/Dockerfile:2',
    { ...BUILT_BY_COMPOSE, unread: { 'web/Dockerfile': FROM } },
  ],
  'the Dockerfile of a service of a stack': [
    { ...BUILT_BY_STACK, unread: { 'web/Dockerfile': ADDS } },
    'DOCKERFILE_REFUSED web/Dockerfile:2',
    { ...BUILT_BY_STACK, unread: { 'web/Dockerfile': FROM } },
  ],
  'the Dockerfile of a container': [
    { ...CONTAINER, texts: { Dockerfile: ADDS } },
    'DOCKERFILE_REFUSED Dockerfile:2',
    { ...CONTAINER, texts: { Dockerfile: FROM } },
  ],
  'an image of a registry that is not in the list': [
    { ...CONTAINER, texts: { Dockerfile: 'FROM other.example/base:1\n' } },
    'DOCKERFILE_REFUSED Dockerfile:1',
  ],
  'the Dockerfile of a build that runs nothing': [
    { ...IMAGE, texts: { Dockerfile: ADDS } },
    'DOCKERFILE_REFUSED Dockerfile:2',
    { ...IMAGE, texts: { Dockerfile: FROM } },
  ],
  'ports of a container': [
    {
      ...{ ...CONTAINER, texts: { Dockerfile: FROM } },
      settings: { port: 8080, ports: [{ host: 8080, container: 8080 }] },
    },
    'PORT_REFUSED',
    {
      ...{ ...CONTAINER, texts: { Dockerfile: FROM } },
      settings: { port: 8080, ports: [{ host: 20_080, container: 8080 }] },
    },
  ],
  'the Dockerfile of a notebook project': [
    { ...NOTEBOOK, unread: { 'reports/binder/Dockerfile': ADDS, 'reports/Dockerfile': FROM } },
    'DOCKERFILE_REFUSED reports/binder/Dockerfile:2',
    { ...NOTEBOOK, unread: { 'reports/binder/Dockerfile': FROM, 'reports/Dockerfile': ADDS } },
  ],
  'more memory for notebooks than the host gives': [
    { ...NOTEBOOK, settings: { folder: 'reports', memory: '3g' } },
    'SANDBOX_OVER_LIMIT',
    { ...NOTEBOOK, settings: { folder: 'reports', memory: '2g' } },
  ],
}

for (const [what, [forbidden, refusal, allowed]] of Object.entries(REFUSED)) {
  test(`the manager refuses ${what} by the policy of the host, before anything is built or applied`, async () => {
    const { refused, asked } = await planned(forbidden, RULES)
    equal(refused, refusal)
    deepEqual(
      asked.filter(command => !LOOKS.includes(command)),
      [],
    )
    if (allowed) {
      equal((await planned(allowed, RULES)).refused, undefined)
    }
  })
}

const LOOKS = [
  ...['compose.render', 'compose.observe', 'swarm.render', 'swarm.observe', 'image.content'],
  ...['image.published', 'container.observe', 'route.observe', 'notebook.examine', 'repository.read'],
]

test('of a host that does not enforce only that is refused which no mode allows, and no file is asked for', async () => {
  const warns = { ...RULES, mode: 'warn' } as const
  const built = { ...BUILT_BY_COMPOSE, unread: { 'web/Dockerfile': ADDS } }
  const { refused, asked } = await planned(built, warns)
  deepEqual([refused, asked.includes('repository.read')], [undefined, false])
  const ports = (host: number) => ({ port: 8080, ports: [{ host, container: 8080 }] })
  equal((await planned({ ...CONTAINER, settings: ports(8080) }, warns)).refused, undefined)
  equal((await planned({ ...CONTAINER, settings: ports(22) }, warns)).refused, 'PORT_REFUSED')
})

test('a worker that does not tell its policy judges alone', async () => {
  equal((await planned({ ...CONTAINER, texts: { Dockerfile: ADDS } })).refused, undefined)
})
