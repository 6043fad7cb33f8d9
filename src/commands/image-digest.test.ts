import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EngineRequest } from '#exec/call.ts'
import type { Answers } from '#exec/recorder.ts'
import type { HostPolicy } from './command.ts'
import { imageDigest } from './image.ts'
import { testHands } from './recorded-hands.test.ts'

const DIGEST = `sha256:${'d'.repeat(64)}`
const PRESENT = { status: 200, headers: { 'docker-content-digest': DIGEST } }
const PRIVATE = /private address/

test('a registry that only a repository names is asked at the address that was checked, by its name', async () => {
  const { told, requests } = await ask('r.example:5000/team/shop:1', [
    ['lookup r.example', { addresses: ['192.0.2.7', '192.0.2.8'] }],
    ['HEAD https://192.0.2.7:5000/v2/team/shop/manifests/1', PRESENT],
  ])
  assert.deepEqual(told, { digest: DIGEST })
  assert.deepEqual(
    requests.map(({ headers }) => headers?.host),
    ['r.example:5000'],
  )
})

for (const host of [
  '169.254.169.254:8443',
  '127.1.0.1',
  '2130706433:80',
  '0x7f.1:80',
  'localhost:5000',
  'r.example',
]) {
  test(`a repository cannot have ${host} asked where that is a private address`, async () => {
    const { told, requests } = await ask(`${host}/x:1`, [
      ['lookup', { addresses: ['192.0.2.7', '127.0.0.1'] }],
      ['HEAD', PRESENT],
    ])
    assert.match(String(told.problem), PRIVATE)
    assert.deepEqual(requests, [])
  })
}

test('the registry that a repository names cannot send the worker to a private address for a token', async () => {
  for (const realm of ['https://10.0.0.1/token', 'https://auth.inside/token']) {
    const { told, requests } = await ask('r.example/x:1', [
      ['lookup r.example', { addresses: ['192.0.2.7'] }],
      ['lookup auth.inside', { addresses: ['10.0.0.1'] }],
      ['HEAD', challenge(realm)],
      ['GET', { json: { token: 'tok' } }],
    ])
    assert.match(String(told.problem), PRIVATE)
    assert.equal(requests.length, 1)
  }
})

test('a token is asked for at the address that was checked', async () => {
  const { told, requests } = await ask('x:1', [
    ['lookup registry-1.docker.io', { addresses: ['192.0.2.7'] }],
    ['lookup auth.example', { addresses: ['2001:4860::8'] }],
    ['HEAD https://192.0.2.7/', [challenge('https://auth.example/token?a=1'), PRESENT]],
    ['GET https://[2001:4860::8]/token?a=1', { json: { token: 'tok' } }],
  ])
  assert.deepEqual(told, { digest: DIGEST })
  assert.deepEqual(
    requests.map(({ headers }) => headers?.host),
    ['registry-1.docker.io', 'auth.example', 'registry-1.docker.io'],
  )
})

test("the manager's own registry and those of the host's policy may be anywhere, others where the policy allows", async () => {
  const registry = { address: '127.0.0.1:5000', username: '', password: '' }
  const answers: Answers = [['HEAD https://127.0.0.1:5000/v2/x/manifests/1', PRESENT]]
  const asked = await Promise.all([
    ask('127.0.0.1:5000/x:1', answers, { registries: [registry] }),
    ask('127.0.0.1:5000/x:1', answers, { policy: { registries: ['127.0.0.1:5000'] } }),
    ask('127.0.0.1:5000/x:1', answers, { policy: { allowPrivate: ['127.0.0.0/8'] } }),
  ])
  for (const { told } of asked) {
    assert.deepEqual(told, { digest: DIGEST })
  }
})

interface Circumstances {
  readonly registries?: Parameters<typeof imageDigest.run>[1]['registries']
  readonly policy?: Partial<HostPolicy>
}

async function ask(reference: string, answers: Answers, { registries = [], policy }: Circumstances = {}) {
  const hands = testHands(answers, policy)
  const told = await imageDigest.run(hands, { reference, registries })
  const calls = hands.recorder.calls as readonly EngineRequest<unknown>[]
  return { told, requests: calls.filter(({ kind }) => kind === 'request') }
}

function challenge(realm: string) {
  return { status: 401, headers: { 'www-authenticate': `Bearer realm="${realm}",service="s"` } }
}
