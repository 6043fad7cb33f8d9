import assert from 'node:assert/strict'
import { createHash, createHmac } from 'node:crypto'
import { test } from 'node:test'
import { Secret } from '#lib/secret.ts'
import { stackSecret } from '#lib/stack-secret.ts'
import { judgeCall, type SignedCall } from './signed-call.ts'

const MASTER = 's3cr3t'
const CONFIG = { secret: new Secret(MASTER), minScheme: 'v1' } as const
const NOW = 1_700_000_000
const ID = '0b0e7f0e-3b1c-4f6e-9a44-0d5f1c2b3a49'
/** Known answers of openssl for that secret. */
const OF_BODY = 'f3e4cb99a187c9212c7965f265cbeb52788c98fa9a2c76c5c45fab3d8f4dd9af'
const OF_NAME = '5028e0ba4c8fc5744c7eb1a5d55f78e57a0acfce890725a1bcb5ea32a899b9fc'

function call(changes: Partial<Omit<SignedCall, 'body'>> & { readonly body?: string }): SignedCall {
  const { body = '', ...rest } = changes
  return {
    method: 'POST',
    path: '/deploy/media',
    stack: 'media',
    signature: '',
    timestamp: '',
    requestId: '',
    receivedAt: NOW * 1000,
    ...rest,
    body: Buffer.from(body),
  }
}

function judged(asked: SignedCall, config: Parameters<typeof judgeCall>[2] = CONFIG): string {
  return judgeCall(asked, asked.stack ?? 'media', config).kind
}

function hmac(text: string, key = MASTER): string {
  return createHmac('sha256', key).update(text).digest('hex')
}

test('R104 R106 a body is signed as it is sent', () => {
  const body = '{"stack":"media"}'
  const asked = { path: '/deploy', stack: undefined, body }
  assert.equal(judged(call({ ...asked, signature: OF_BODY })), 'v1')
  assert.equal(judged(call({ ...asked, signature: `sha256=${OF_BODY}` })), 'v1')
  assert.equal(judged(call({ ...asked, body: '{"stack": "media"}', signature: OF_BODY })), 'refused')
  for (const signature of [
    '',
    OF_BODY.toUpperCase(),
    OF_BODY.slice(1),
    `${OF_BODY}0`,
    'z'.repeat(64),
    `sha1=${OF_BODY}`,
  ]) {
    assert.equal(judged(call({ ...asked, signature })), 'refused', signature)
  }
})

test('R105 W12 an empty body is signed as the name of the stack, for that stack only', () => {
  assert.equal(judged(call({ signature: OF_NAME })), 'v1')
  assert.equal(judged(call({ signature: OF_NAME, stack: 'other' })), 'refused')
  assert.equal(judged(call({ signature: hmac('') })), 'refused')
  assert.equal(judged(call({ signature: hmac(''), stack: undefined })), 'refused')
  assert.equal(judged(call({ signature: hmac(''), stack: '' })), 'refused')
})

test('the secret of one stack signs calls for it and for no other', () => {
  const own = stackSecret(MASTER, 'media')
  // openssl kdf -keylen 32 -kdfopt digest:SHA256 -kdfopt key:s3cr3t -kdfopt salt:media -kdfopt info:deploy-hook-v1 HKDF
  assert.equal(own, OWN)
  assert.equal(judged(call({ signature: hmac('media', own) })), 'v1')
  assert.equal(judged(call({ signature: hmac('other', own), stack: 'other' })), 'refused')
})
const OWN = 'ec810ff55a170eec784ec967b0a1d769bacf414ca2a32de06480b6279b6a8df3'

interface Timed {
  readonly timestamp?: string
  readonly requestId?: string
  readonly path?: string
  readonly body?: string
  readonly key?: string
}

function timed({ timestamp = String(NOW), requestId = ID, path = '/deploy/media', body = '', key }: Timed) {
  const hash = createHash('sha256').update(body).digest('hex')
  const signature = `v2=${hmac(['v2', 'POST', path, timestamp, requestId, hash].join('\n'), key)}`
  return { timestamp, requestId, body, signature }
}

test('a v2 signature is over method, path, time, id and body', () => {
  assert.equal(judged(call(timed({}))), 'v2')
  assert.equal(judged(call(timed({ body: '{"stack":"media"}' }))), 'v2')
  assert.equal(judged(call(timed({ key: stackSecret(MASTER, 'media') }))), 'v2')
  const changes = [
    { method: 'PUT' },
    { path: '/deploy/other' },
    { timestamp: String(NOW + 1) },
    { requestId: `${ID}0` },
    { body: 'x' },
    { signature: timed({}).signature.slice('v2='.length) },
  ]
  for (const change of changes) {
    assert.equal(judged(call({ ...timed({}), ...change })), 'refused', JSON.stringify(change))
  }
})

test('W10 a v2 signature is taken for five minutes in both directions, and only with a time and an id', () => {
  for (const [timestamp, kind] of [
    [`${NOW - 300}`, 'v2'],
    [`${NOW + 300}`, 'v2'],
    [`${NOW - 301}`, 'refused'],
    [`${NOW + 301}`, 'refused'],
    [`${NOW}abc`, 'refused'],
    ['-1', 'refused'],
    ['1e9', 'refused'],
    ['', 'refused'],
  ] as const) {
    assert.equal(judged(call(timed({ timestamp }))), kind, timestamp)
  }
  for (const requestId of ['', 'short', 'a b c d e f', 'x'.repeat(101)]) {
    assert.equal(judged(call(timed({ requestId }))), 'refused', requestId)
  }
})

test('where v2 is asked for, nobody gets back to v1 by leaving headers out', () => {
  const config = { ...CONFIG, minScheme: 'v2' } as const
  assert.equal(judged(call({ signature: OF_NAME }), config), 'refused')
  assert.equal(judged(call(timed({})), config), 'v2')
})
