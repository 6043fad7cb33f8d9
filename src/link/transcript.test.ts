import assert from 'node:assert/strict'
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { lengthPrefixed } from './length-prefixed.ts'
import { isProven, prove, type Transcript } from './transcript.ts'

const { publicKey, privateKey } = generateKeyPairSync('ed25519')
const seen: Transcript = {
  agent: 'a'.repeat(64),
  agentNonce: randomBytes(32),
  managerNonce: randomBytes(32),
  epoch: 7,
  versions: [1, 2],
  channel: {
    exporter: randomBytes(32),
    clientCertificate: randomBytes(32),
    serverCertificate: randomBytes(32),
  },
}

test('what both sides saw alike is proven', () => {
  const sig = prove('manager', seen, privateKey)
  assert.ok(isProven('manager', seen, { key: publicKey, sig }))
})

test('M10 a proof cannot be sent back as the proof of the other side', () => {
  const sig = prove('manager', seen, privateKey)
  assert.ok(!isProven('agent', seen, { key: publicKey, sig }))
})

const CHANGED: Readonly<Record<string, Transcript>> = {
  'M08 another nonce of the agent': { ...seen, agentNonce: randomBytes(32) },
  'M08 another nonce of the manager': { ...seen, managerNonce: randomBytes(32) },
  'M09 one version fewer': { ...seen, versions: [1] },
  'M10 another TLS connection': { ...seen, channel: { ...seen.channel, exporter: randomBytes(32) } },
  'M10 another client certificate': {
    ...seen,
    channel: { ...seen.channel, clientCertificate: randomBytes(32) },
  },
  'M10 another server certificate': {
    ...seen,
    channel: { ...seen.channel, serverCertificate: randomBytes(32) },
  },
  'M11 another agent': { ...seen, agent: 'b'.repeat(64) },
  'M14 another epoch': { ...seen, epoch: 8 },
}

for (const [what, transcript] of Object.entries(CHANGED)) {
  test(`${what} breaks the proof`, () => {
    const sig = prove('manager', seen, privateKey)
    assert.ok(!isProven('manager', transcript, { key: publicKey, sig }))
  })
}

test('M10 moving bytes from one field to the next gives other bytes', () => {
  const one = lengthPrefixed('p', [Buffer.from('ab'), Buffer.from('c')])
  const other = lengthPrefixed('p', [Buffer.from('a'), Buffer.from('bc')])
  assert.notDeepEqual(one, other)
})
