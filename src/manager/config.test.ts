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

test('notebooks share a host only when their file says so, in words that it knows', () => {
  const file = join(folder, 'notebooks.json')
  const read = (said: object) => {
    writeFileSync(file, JSON.stringify({ bases: [], ...said }))
    return readConfig({ FAIRLEAD_NOTEBOOKS_FILE: file }).notebooks
  }
  const shared = { mode: 'path', host: 'notebooks.example.org' }
  assert.deepEqual(read(shared), { bases: [], ...shared })
  assert.equal(read({})?.mode, undefined)
  for (const wrong of [{ mode: 'both' }, { mode: 'path', host: 'notebooks.example.org/nb' }]) {
    assert.throws(() => read(wrong), FairleadError)
  }
  const onManager = { FAIRLEAD_NOTEBOOKS_FILE: file, FAIRLEAD_PUBLIC_URL: 'https://notebooks.example.org' }
  read(shared)
  assert.throws(() => readConfig(onManager), /share notebooks\.example\.org with the manager/)
  read({ mode: 'path' })
  assert.throws(() => readConfig({ ...onManager, FAIRLEAD_BASE_DOMAIN: 'example.org' }), /with the manager/)
  read({ host: shared.host })
  assert.equal(readConfig(onManager).notebooks?.host, shared.host)
})

test('traces go to an address of HTTP, with a token from a file', () => {
  const file = join(folder, 'token')
  writeFileSync(file, 'of-the-collector\n')
  const url = 'http://127.0.0.1:4318/v1/traces'
  const { traces } = readConfig({ FAIRLEAD_TRACES_URL: url, FAIRLEAD_TRACES_TOKEN_FILE: file })
  assert.equal(traces?.url, url)
  assert.equal(traces?.token?.reveal(), 'of-the-collector')
  assert.equal(readConfig({}).traces, undefined)
  for (const wrong of [
    '127.0.0.1:4318',
    'grpc://127.0.0.1:4317',
    'https://me:secret@collector.example.org',
  ]) {
    assert.throws(() => readConfig({ FAIRLEAD_TRACES_URL: wrong }), /FAIRLEAD_TRACES_URL/)
  }
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

test('the database is a file unless a URL names one of PostgreSQL, whose password is never shown', () => {
  assert.equal(readConfig({}).database, undefined)
  const read = (url: string, more: Record<string, string> = {}) => {
    const config = readConfig({ FAIRLEAD_DATABASE_URL: url, ...more })
    assert.doesNotMatch(JSON.stringify([config, summarise(config)]), /hunter2/)
    return config.database
  }
  const far = read('postgres://fairlead:hunter2%2F@db.example.org/fairlead')
  assert.deepEqual(
    [far?.host, far?.port, far?.database, far?.tls],
    ['db.example.org', 5432, 'fairlead', true],
  )
  assert.equal(far?.password?.reveal(), 'hunter2/')
  assert.equal(read('postgresql://u@db.example.org:6000/x?sslmode=disable')?.tls, false)
  assert.equal(read('postgres://u@localhost/x')?.tls, false)
  assert.equal(read('postgres://u@localhost/x?sslmode=verify-full')?.tls, true)
  const socket = read('postgres://u@/x?host=/run/postgresql&port=5433')
  assert.deepEqual([socket?.host, socket?.port, socket?.tls], ['/run/postgresql', 5433, false])
  const file = join(folder, 'database-password')
  writeFileSync(file, 'hunter2\n')
  const given = { FAIRLEAD_DATABASE_PASSWORD_FILE: file }
  assert.equal(read('postgres://u@localhost/x', given)?.password?.reveal(), 'hunter2')
  for (const wrong of [
    'mysql://u:hunter2@h/x',
    'postgres://u:hunter2@h',
    'postgres://h/x',
    'postgres://u@h/x?sslmode=prefer',
  ]) {
    assert.throws(
      () => readConfig({ FAIRLEAD_DATABASE_URL: wrong }),
      (error: FairleadError) => {
        assert.doesNotMatch(JSON.stringify([error.message, error.problems]), /hunter2/)
        return true
      },
    )
  }
  assert.throws(() => read('postgres://u:hunter2@localhost/x', given), FairleadError)
})

test('R5 R8 R10 R13 R14 the .env of the notebook pipeline is understood, and nothing of it without its token', () => {
  const file = {
    AUTH_TOKEN: 'seu-token-secreto',
    HOSTNAME: 'nb.example.org',
    REGISTRY_USERNAME: 'seu-usuario',
    REGISTRY_PASSWORD: 'sua-senha',
  }
  const registry = { FAIRLEAD_REGISTRY: 'registry.example.org' }
  const config = readConfig({ ...file, ...registry })
  assert.equal(config.baseDomain, 'nb.example.org')
  assert.equal(config.notifyToken?.reveal(), 'seu-token-secreto')
  assert.equal(config.registry?.username, 'seu-usuario')
  assert.equal(config.registry?.password.reveal(), 'sua-senha')
  assert.doesNotMatch(JSON.stringify([config, summarise(config)]), /seu-token|sua-senha/)

  const { AUTH_TOKEN: _, ...others } = file
  const without = readConfig({ ...others, ...registry })
  assert.deepEqual(
    [without.baseDomain, without.notifyToken, without.registry?.username],
    ['localhost', undefined, ''],
  )

  const account = { FAIRLEAD_REGISTRY_USERNAME: 'fairlead', FAIRLEAD_BASE_DOMAIN: 'apps.example.org' }
  const both = readConfig({ ...file, ...registry, ...account })
  assert.equal(both.baseDomain, 'apps.example.org')
  assert.deepEqual([both.registry?.username, both.registry?.password.reveal()], ['fairlead', ''])
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
  ['AUTH_TOKEN', ''],
  ['AUTH_TOKEN', 'with spaces'],
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
