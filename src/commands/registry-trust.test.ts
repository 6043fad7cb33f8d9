import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testHands } from './recorded-hands.test.ts'
import { registryTrust } from './registry-trust.ts'

const DATA = { address: 'registry.example.org:5000', certificate: '-----BEGIN CERTIFICATE-----\nx\n' }

test('R95 the engine trusts a registry only where the policy of the host names the folder for it', async () => {
  const refusing = testHands([])
  await assert.rejects(registryTrust.run(refusing, DATA), {
    code: 'TRUST_REFUSED',
    hint: /\/etc\/docker\/certs\.d\/registry\.example\.org:5000\/ca\.crt/,
  })
  assert.deepEqual(refusing.recorder.calls, [])
})

test('R95 a certificate is written once, where the engine looks for it', async () => {
  const trust = '/etc/docker/certs.d'
  const file = `${trust}/${DATA.address}/ca.crt`
  const hands = testHands(
    [
      ['read ', { missing: true }],
      ['make-folder ', { missing: false }],
      ['write ', { missing: false }],
    ],
    { trust },
  )
  assert.deepEqual(await registryTrust.run(hands, DATA), { file, changed: true })
  const again = testHands([['read ', { missing: false, text: DATA.certificate }]], { trust })
  assert.deepEqual(await registryTrust.run(again, DATA), { file, changed: false })
})
