import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { FairleadError } from '#lib/errors.ts'
import { settingsOf } from '#lib/settings.ts'
import { temporaryFolder } from '#link/test-identities.ts'
import { readWorkerConfig, summarise } from './config.ts'
import { POLICY_INVALID, WORKER_CONFIG_INVALID } from './errors.ts'

test('without any variable the worker listens on this machine only, and has no proxy', () => {
  const config = readWorkerConfig({})
  assert.deepEqual(config.listen, { host: '127.0.0.1', port: 7443 })
  assert.equal(config.data, '/var/lib/fairlead/worker')
  assert.equal(config.proxy, undefined)
  assert.deepEqual(config.network, { name: 'fairlead', subnet: '10.213.0.0/16' })
  assert.equal(config.resolverPort, 7453)
  assert.equal(config.policy.mode, 'enforce')
  assert.ok(config.policy.ports.from > 1023)
})

test('every setting of the worker that is described is read, and no other', () => {
  const asked = new Set<unknown>()
  readWorkerConfig(new Proxy({}, { get: (_, name) => void asked.add(name) }))
  const wanted = settingsOf('worker').map(({ name }) => name)
  const isSetting = (name: unknown) => /^FAIRLEAD_/.test(String(name)) || wanted.some(each => each === name)
  assert.deepEqual([...asked].filter(isSetting).sort(), wanted.sort())
})

test('variables are read', t => {
  const config = readWorkerConfig({
    FAIRLEAD_DATA: temporaryFolder(t),
    FAIRLEAD_WORKER_LISTEN: '[::1]:9443',
    FAIRLEAD_WORKER_NAME: 'box-1',
    FAIRLEAD_DOCKER_SOCKET: '/run/user/1000/docker.sock',
    FAIRLEAD_PROXY_ADMIN: 'http://127.0.0.1:2019/',
    FAIRLEAD_PROXY_HTTP_PORT: '8080',
    FAIRLEAD_PROXY_HTTPS_PORT: '8443',
    FAIRLEAD_RESOLVER_PORT: '5300',
    FAIRLEAD_SUBNET: '10.9.0.0/20',
    FAIRLEAD_TOKEN: 'not ours',
  })
  assert.deepEqual(config.listen, { host: '::1', port: 9443 })
  assert.equal(config.name, 'box-1')
  assert.equal(config.dockerSocket, '/run/user/1000/docker.sock')
  assert.deepEqual(config.proxy, { adminOrigin: 'http://127.0.0.1:2019', httpPort: 8080, httpsPort: 8443 })
  assert.equal(config.resolverPort, 5300)
  assert.equal(config.network.subnet, '10.9.0.0/20')
  assert.ok(!JSON.stringify(summarise(config)).includes('not ours'))
})

const WRONG: Readonly<Record<string, string>> = {
  FAIRLEAD_WORKER_LISTEN: '7443',
  FAIRLEAD_WORKER_NAME: 'a name',
  FAIRLEAD_PROXY_ADMIN: 'http://user@127.0.0.1:2019',
  FAIRLEAD_PROXY_HTTP_PORT: '70000',
  FAIRLEAD_SUBNET: 'everything',
  FAIRLEAD_SYSTEM_IMAGE_SERVER: 'http://images.example.org',
  FAIRLEAD_WORKER_LISTENS: '127.0.0.1:7443',
  FAIRLEAD_PROXI_ADMIN: 'http://127.0.0.1:2019',
}

for (const [name, value] of Object.entries(WRONG)) {
  test(`${name}=${value} is refused by name`, () => {
    assert.throws(
      () => readWorkerConfig({ [name]: value }),
      error => WORKER_CONFIG_INVALID.matches(error) && error.message.includes(name),
    )
  })
}

test('an address of an image server with a password is refused without showing it', () => {
  assert.throws(
    () => readWorkerConfig({ FAIRLEAD_SYSTEM_IMAGE_SERVER: 'https://:hidden@images.example.org' }),
    error => WORKER_CONFIG_INVALID.matches(error) && !error.message.includes('hidden'),
  )
})

test('all wrong variables are named at once', () => {
  assert.throws(
    () => readWorkerConfig(WRONG),
    error => error instanceof FairleadError && error.problems?.length === Object.keys(WRONG).length,
  )
})

test('a policy changes what it names and nothing else', t => {
  const data = withPolicy(
    t,
    'ports: { from: 20000 }\nallowPrivate: [10.0.0.0/8]\nregistries:\n  - registry.example.org\nlimits: { memory: 2g, idle: 1h }\n',
  )
  const { policy } = readWorkerConfig({ FAIRLEAD_DATA: data })
  const { policy: standard } = readWorkerConfig({})
  assert.deepEqual(policy, {
    ...standard,
    ports: { ...standard.ports, from: 20_000 },
    allowPrivate: ['10.0.0.0/8'],
    registries: ['registry.example.org'],
    limits: { memoryBytes: 2 * 1024 ** 3, idle: 3_600 },
  })
})

for (const text of [
  'mode: off',
  'ports: all',
  'more: 1',
  '- a',
  'mode: [',
  'a: &a [x]\nregistries: *a',
  'ports: {from: 0}',
]) {
  test(`X01 the policy ${JSON.stringify(text)} is refused, and the message names the file`, t => {
    const data = withPolicy(t, text)
    assert.throws(
      () => readWorkerConfig({ FAIRLEAD_DATA: data }),
      error => POLICY_INVALID.matches(error) && error.message.includes(join(data, 'worker/policy.yaml')),
    )
  })
}

test('X01 a policy that others may write is refused', t => {
  const data = withPolicy(t, 'mode: trusted')
  chmodSync(join(data, 'worker/policy.yaml'), 0o666)
  assert.throws(() => readWorkerConfig({ FAIRLEAD_DATA: data }), POLICY_INVALID.matches)
})

function withPolicy(t: TestContext, text: string): string {
  const data = temporaryFolder(t)
  mkdirSync(join(data, 'worker'))
  writeFileSync(join(data, 'worker/policy.yaml'), text)
  return data
}

test('R102 a worker whose STACKS_ROOT is no folder does not start; a link to one is followed', t => {
  const folder = temporaryFolder(t)
  writeFileSync(join(folder, 'file'), '')
  for (const STACKS_ROOT of ['', join(folder, 'nothing'), join(folder, 'file')]) {
    assert.throws(
      () => readWorkerConfig({ FAIRLEAD_DATA: folder, STACKS_ROOT }),
      (error: FairleadError) => /STACKS_ROOT.* is no folder on this host/.test(error.message),
    )
  }
  mkdirSync(join(folder, 'stacks'))
  symlinkSync(join(folder, 'stacks'), join(folder, 'link'))
  const read = (STACKS_ROOT: string) => readWorkerConfig({ FAIRLEAD_DATA: folder, STACKS_ROOT }).stacksRoot
  assert.equal(read(join(folder, 'link')), read(join(folder, 'stacks')))
  assert.equal(readWorkerConfig({ FAIRLEAD_DATA: folder }).stacksRoot, undefined)
})
