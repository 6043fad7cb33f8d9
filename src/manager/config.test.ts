import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { FairleadError } from '#lib/errors.ts'
import { settingsOf } from '#lib/settings.ts'
import { readConfig, summarise } from './config.ts'

const folder = mkdtempSync(join(tmpdir(), 'fairlead-config-'))
after(() => rmSync(folder, { recursive: true }))

test('an empty environment gives a manager on this machine only', () => {
  const config = readConfig({ PATH: '/bin' })
  assert.deepEqual(config.listen, { host: '127.0.0.1', port: 7400 })
  assert.equal(config.publicUrl, 'http://127.0.0.1:7400')
  assert.equal(config.baseDomain, 'localhost')
  assert.equal(config.registry, undefined)
  assert.equal(config.concurrency, 2)
})

test('every setting of the manager that is described is read, and no other', () => {
  const asked = new Set<unknown>()
  readConfig(new Proxy({}, { get: (_, name) => void asked.add(name) }))
  const wanted = settingsOf('manager').map(({ name }) => name)
  const isSetting = (name: unknown) => /^FAIRLEAD_/.test(String(name)) || wanted.some(each => each === name)
  assert.deepEqual([...asked].filter(isSetting).sort(), wanted.sort())
})

test('the manager keeps its things in a folder of its own below the data folder', () => {
  assert.equal(readConfig({ FAIRLEAD_DATA: '/srv/fairlead' }).data, '/srv/fairlead/manager')
})

test('R13 R14 the registry password comes from a file and is never in the summary', () => {
  const file = join(folder, 'password')
  writeFileSync(file, 'hunter2hunter2\n')
  const config = readConfig({
    FAIRLEAD_REGISTRY: 'registry.example.org:5000',
    FAIRLEAD_REGISTRY_USERNAME: 'fairlead',
    FAIRLEAD_REGISTRY_PASSWORD_FILE: file,
  })
  assert.equal(config.registry?.password.reveal(), 'hunter2hunter2')
  assert.equal(summarise(config).registry, 'fairlead@registry.example.org:5000')
  assert.doesNotMatch(JSON.stringify([config, summarise(config)]), /hunter2/)
})

test('deadlines are read by name and shown as they are written', () => {
  const config = readConfig({ FAIRLEAD_DEADLINES: 'build=45m, worker=90s' })
  assert.deepEqual(config.deadlines, { build: 45 * 60_000, worker: 90_000 })
  assert.equal(summarise(config).deadlines, 'build=45m,worker=90s')
  assert.deepEqual(readConfig({}).deadlines, {})
})

test('an address for everyone and a public address are understood', () => {
  const config = readConfig({
    FAIRLEAD_LISTEN: '[::]:80',
    FAIRLEAD_PUBLIC_URL: 'https://fairlead.example.org/',
  })
  assert.deepEqual(config.listen, { host: '::', port: 80 })
  assert.equal(config.publicUrl, 'https://fairlead.example.org')
  assert.equal(readConfig({ FAIRLEAD_LISTEN: '0.0.0.0:81' }).publicUrl, 'http://localhost:81')
})

for (const [name, value] of [
  ['FAIRLEAD_LISTEN', '7400'],
  ['FAIRLEAD_LISTEN', 'localhost:99999'],
  ['FAIRLEAD_BASE_DOMAIN', '-apps'],
  ['FAIRLEAD_BASE_DOMAIN', 'Apps.example.org'],
  ['FAIRLEAD_REGISTRY', 'https://registry.example.org'],
  ['FAIRLEAD_REGISTRY_CA_FILE', '/nowhere/ca.pem'],
  ['FAIRLEAD_PUBLIC_URL', 'fairlead.example.org'],
  ['FAIRLEAD_PUBLIC_URL', 'https://user:word@fairlead.example.org'],
  ['FAIRLEAD_TRUSTED_PROXIES', '10.0.0.0/8, proxy'],
  ['FAIRLEAD_ALLOW_PRIVATE', '192.168.0.0/99'],
  ['FAIRLEAD_CONCURRENCY', '0'],
  ['FAIRLEAD_CONCURRENCY', '2.5'],
  ['FAIRLEAD_CONCURENCY', '2'],
  ['FAIRLEAD_DEADLINES', 'build=long'],
  ['FAIRLEAD_DEADLINES', 'build=0s'],
  ['FAIRLEAD_DEADLINES', 'deployment=25h'],
  ['FAIRLEAD_DEADLINES', 'builds=1h'],
] as const) {
  test(`R102 ${name}=${value} stops the start and is named`, () => {
    assert.throws(
      () => readConfig({ [name]: value }),
      error => error instanceof FairleadError && error.problems?.[0]?.path === name && error.hint !== '',
    )
  })
}

test('variables of the command line and of workers may stand beside', () => {
  readConfig({
    FAIRLEAD_TOKEN: 'x',
    FAIRLEAD_MANAGER: 'y',
    FAIRLEAD_WORKER_LISTEN: 'z',
    FAIRLEAD_PROXY_ADMIN: 'a',
  })
})

test('every problem is reported at once', () => {
  assert.throws(
    () => readConfig({ FAIRLEAD_LISTEN: 'x', FAIRLEAD_CONCURRENCY: 'y', FAIRLEAD_NEW: 'z' }),
    error => error instanceof FairleadError && error.problems?.length === 3,
  )
})

test('R102 a manager whose secret for signed calls is set and empty does not start', () => {
  const file = join(folder, 'deploy-secret')
  writeFileSync(file, '\n')
  for (const environment of [{ DEPLOY_SECRET: '' }, { DEPLOY_SECRET: ' ' }, { DEPLOY_SECRET_FILE: file }]) {
    assert.throws(
      () => readConfig(environment),
      (error: FairleadError) => /DEPLOY_SECRET.* is empty; expected a secret/.test(error.message),
    )
  }
  assert.equal(readConfig({}).deployer, undefined)
})

test('R108 R110 R115 the variables of the deployer are read by the names that they always had', () => {
  const config = readConfig({
    DEPLOY_SECRET: 'hunter2hunter2',
    RATE_LIMIT_PER_MIN: '7',
    STATUS_TIMEOUT: '6',
    CONFIG_TIMEOUT: '12',
    PULL_TIMEOUT: '60',
    UP_TIMEOUT: '61',
  })
  const { deployer, deadlines } = config
  assert.equal(deployer?.secret.reveal(), 'hunter2hunter2')
  assert.deepEqual([deployer?.perMinute, deployer?.minScheme, deployer?.minIntervalMs], [7, 'v1', 30_000])
  assert.deepEqual(deadlines, { status: 6_000, config: 12_000, pull: 60_000, up: 61_000 })
  assert.equal(readConfig({ DEPLOY_SECRET: 'x' }).deployer?.perMinute, 10)
  assert.doesNotMatch(JSON.stringify([config, summarise(config)]), /hunter2/)
  for (const [name, value] of [
    ['RATE_LIMIT_PER_MIN', '0'],
    ['UP_TIMEOUT', '1m'],
    ['DEPLOY_MIN_SCHEME', 'v3'],
  ]) {
    assert.throws(() => readConfig({ [name ?? '']: value }), new RegExp(name ?? ''))
  }
})
