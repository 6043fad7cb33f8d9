import assert from 'node:assert/strict'
import { test } from 'node:test'
import { check } from '#lib/check.ts'
import { targetNamed } from '#targets/index.ts'
import type { Tell } from '#targets/target.ts'
import { describedApps, refuseNothing } from './described-apps.ts'
import { SETTINGS_INVALID } from './errors.ts'
import type { Source } from './source.ts'

const TEXTS: Readonly<Record<string, string>> = {
  'a/docker-compose.web.yml': 'services: { web: { image: "team/web:1" } }\n',
  'b/stack-definition.shop.json': '{ "composes": ["web"] }',
  'stack-instance.shop.My_Shop.json':
    '{ "enabled": true, "parameters": [{ "name": "PASSWORD", "value": "$DB" }, { "name": "N", "value": 2 }] }',
  'docker-compose-early.one.yml': 'services: {}\n',
  'image.web.json':
    '{ "tag": "team/web:1", "push": "registry.example.org/team/web:1", "context": "..", "parameters": [{ "name": "A", "value": "b" }], "build_secrets": ["TOKEN"] }',
  'x/y/Dockerfile.web': 'FROM scratch\n',
  'Dockerfile-Tool': 'FROM scratch\n',
}
const REPOSITORY = { name: 'infra', compose_path: null }

function source(paths: readonly string[], more: Partial<Source> = {}): Source {
  const commit = 'c'.repeat(40)
  return { commit, branch: 'main', repository: 'r', texts: {}, paths, subject: '', author: '', ...more }
}

async function describe(from: Source, asked: Tell[] = []) {
  const ask = async (tell: Tell) => {
    asked.push(tell)
    const paths = tell.data.paths as readonly string[]
    return { texts: Object.fromEntries(paths.map(path => [path, TEXTS[path] ?? ''])) }
  }
  return await describedApps(ask, from, REPOSITORY)
}

test('R45 R46 what the names of files describe are apps as their targets take them', async () => {
  const described = await describe(source(Object.keys(TEXTS)))
  assert.deepEqual(described.convention?.problems, [])
  assert.deepEqual(
    described.apps.map(({ name, target }) => `${name} ${target}`),
    ['image-web image', 'image-tool image', 'my-shop stack', 'early-one stack'],
  )
  for (const { name, target, settings } of described.apps) {
    check(targetNamed(target)?.settings ?? {}, settings, name, SETTINGS_INVALID)
  }
})

test('files are read in one question for each hundred, and no links', async () => {
  const many = Array.from({ length: 150 }, (_, index) => `docker-compose-s${index}.yml`)
  const asked: Tell[] = []
  const links = ['docker-compose-s7.yml']
  const described = await describe(source(many, { links }), asked)
  assert.deepEqual(
    asked.map(({ data }) => (data.paths as string[]).length),
    [100, 49],
  )
  assert.equal(described.apps.length, 149)
  assert.equal(described.convention?.entries.get('s7')?.state, 'broken')
})

test('P1 other repositories are asked for nothing more', async () => {
  const asked: Tell[] = []
  await describe(source(['Dockerfile', 'Dockerfile.dev', 'docker-compose.dev.yml', 'a/image-1.json']), asked)
  assert.deepEqual(asked, [])
})

test('R52 a repository of which nothing is right says what is wrong, with line and file', async () => {
  const broken = await describe(source(['stack-instance.none.x.json']))
  assert.throws(
    () => refuseNothing(broken),
    (error: Error) => /stack-instance\.none\.x\.json/.test(error.message),
  )
})
