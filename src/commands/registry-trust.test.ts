import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Answers } from '#exec/recorder.ts'
import { revealed } from '#lib/secret.ts'
import { LABEL } from './container-data.ts'
import { testHands } from './recorded-hands.test.ts'
import { registryTrust } from './registry-trust.ts'

const access = { address: 'registry.example.org:5000', username: 'fairlead', password: 'x' }
const DATA = { access, certificate: '-----BEGIN CERTIFICATE-----\nx\n' }
const WELL = { name: 'local', problem: null, hint: null, services: [] }
const X509 = { status: 500, json: { message: 'x509: certificate signed by unknown authority' } }
const ANSWERS: Answers = [
  ['GET docker /version', { status: 200, json: { Version: '20.10.24', ApiVersion: '1.41' } }],
  ['POST docker /auth', { status: 200, json: {} }],
  ['GET docker /services', { status: 503 }],
]

test('R95 the engine trusts a registry only where the policy of the host names the folder for it', async () => {
  const refusing = testHands([['POST docker /auth', X509], ...ANSWERS])
  const { file, changed, engines } = await registryTrust.run(refusing, DATA)
  assert.deepEqual([file, changed], [null, false])
  assert.match(engines[0]?.problem ?? '', /The policy of the worker on "box"/)
  assert.match(engines[0]?.hint ?? '', /\/etc\/docker\/certs\.d\/registry\.example\.org:5000\/ca\.crt/)
  assert.deepEqual(
    refusing.recorder.calls.filter(({ kind }) => kind === 'file'),
    [],
  )
})

test('what somebody has put there by hand needs no policy', async () => {
  assert.deepEqual(await registryTrust.run(testHands(ANSWERS), DATA), {
    file: null,
    changed: false,
    engines: [WELL],
  })
})

test('R95 a certificate is written once, where the engine looks for it', async () => {
  const trust = '/etc/docker/certs.d'
  const file = `${trust}/${access.address}/ca.crt`
  const written: Answers = [
    ['read ', { missing: true }],
    ['make-folder ', { missing: false }],
    ['write ', { missing: false }],
  ]
  const hands = testHands([...written, ...ANSWERS], { trust })
  assert.deepEqual(await registryTrust.run(hands, DATA), { file, changed: true, engines: [WELL] })
  const again = testHands([['read ', { missing: false, text: DATA.certificate }], ...ANSWERS], { trust })
  assert.deepEqual(await registryTrust.run(again, DATA), { file, changed: false, engines: [WELL] })
})

test('R42 R95 every other engine of the host is asked whether it logs in, and named with what to do', async () => {
  const hands = testHands([['POST docker /auth', [{ status: 200, json: {} }, X509]], ...ANSWERS])
  const engines = ['local', 'far'].map(name => ({ name, address: `/${name}.sock`, labels: {} }))
  const answer = await registryTrust.run({ ...hands, host: { ...hands.host, engines } }, DATA)
  assert.deepEqual(answer.engines[0], WELL)
  assert.match(answer.engines[1]?.problem ?? '', /^The engine "far" cannot log in at .*x509/)
  assert.match(answer.engines[1]?.hint ?? '', /on the machine of that engine/)
})

test('R93 services of our apps that pull from the registry get the account that counts now, with their spec as it is', async () => {
  const service = (ID: string, Image: string, Labels: Record<string, string>) => ({
    ...{ ID, Version: { Index: 7 } },
    Spec: { Name: ID, Labels, TaskTemplate: { ContainerSpec: { Image }, ForceUpdate: 2 } },
  })
  const ours = { [LABEL.app]: 'shop' }
  const all = [
    service('shop_web', `${access.address}/shop@sha256:1`, ours),
    service('shop_cache', 'redis:7', ours),
    service('by-hand', `${access.address}/tool:1`, {}),
  ]
  const hands = testHands([
    ['GET docker /services', { status: 200, json: all }],
    ['POST docker /services/shop_web/update?version=7', { status: 200 }],
    ...ANSWERS,
  ])
  const { engines } = await registryTrust.run(hands, { access })
  assert.deepEqual(engines[0]?.services, ['shop_web'])
  const update = hands.recorder.calls.find(call => call.kind === 'request' && call.path.endsWith('/update'))
  assert.ok(update?.kind === 'request')
  assert.deepEqual(update.body, all[0]?.Spec)
  const header = Buffer.from(revealed(update.headers?.['x-registry-auth'] as never), 'base64url').toString()
  assert.deepEqual(JSON.parse(header), { username: 'fairlead', password: 'x', serveraddress: access.address })
})
