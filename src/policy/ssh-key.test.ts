import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { readSshKey } from './ssh-key.ts'

const ED = field('ssh-ed25519', Buffer.alloc(32, 7))
const ED_LINE = `ssh-ed25519 ${ED}`

function field(...parts: readonly (string | Buffer)[]): string {
  const fields = parts.map(part => {
    const bytes = Buffer.from(part as string)
    const length = Buffer.alloc(4)
    length.writeUInt32BE(bytes.length)
    return Buffer.concat([length, bytes])
  })
  return Buffer.concat(fields).toString('base64')
}

function rsa(bits: number): string {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: bits })
  const { n = '', e = '' } = publicKey.export({ format: 'jwk' })
  const modulus = Buffer.concat([Buffer.from([0]), Buffer.from(n, 'base64url')])
  return `ssh-rsa ${field('ssh-rsa', Buffer.from(e, 'base64url'), modulus)}`
}

function problemOf(text: string): string {
  const read = readSshKey(text)
  return 'problem' in read ? read.problem : ''
}

test('a key is read with its comment, and the comment is no part of it', () => {
  const read = readSshKey(`${ED_LINE} ada@laptop of mine\n`)
  assert.ok('key' in read)
  assert.deepEqual(
    [read.key.line, read.key.comment, read.key.type],
    [ED_LINE, 'ada@laptop of mine', 'ssh-ed25519'],
  )
  assert.match(read.key.fingerprint, /^SHA256:[A-Za-z0-9+/]{43}$/)
  assert.equal(problemOf(rsa(2048)), '')
  const point = Buffer.concat([Buffer.from([4]), Buffer.alloc(64, 1)])
  assert.equal(problemOf(`ecdsa-sha2-nistp256 ${field('ecdsa-sha2-nistp256', 'nistp256', point)}`), '')
})

for (const [what, text, words] of [
  ['an option in front', `command="rm -rf /" ${ED_LINE}`, /options/],
  ['an option without a value', `no-pty ${ED_LINE}`, /.+/],
  ['two lines', `${ED_LINE}\n${ED_LINE}`, /one line/],
  ['a line end in the comment', `${ED_LINE} a\rcommand="x" b`, /one line/],
  ['a private key', '-----BEGIN OPENSSH PRIVATE KEY-----', /private/],
  ['a key that is cut off', ED_LINE.slice(0, -8), /damaged|base64/],
  ['something behind the key', `ssh-ed25519 ${field('ssh-ed25519', Buffer.alloc(32), 'more')}`, /damaged/],
  ['another type inside', `ssh-rsa ${ED}`, /one type/],
  ['DSA', `ssh-dss ${field('ssh-dss', 'p', 'q', 'g', 'y')}`, /taken/],
  ['a certificate', `ssh-ed25519-cert-v01@openssh.com ${field('ssh-ed25519-cert-v01@openssh.com')}`, /taken/],
  ['a short RSA key', rsa(1024), /1024 bits/],
  [
    'another curve inside',
    `ecdsa-sha2-nistp256 ${field('ecdsa-sha2-nistp256', 'nistp384', Buffer.alloc(97, 4))}`,
    /damaged/,
  ],
  ['nothing', '', /type/],
  ['a long text', 'x'.repeat(10_000), /longer/],
] as const) {
  test(`X06 ${what} is refused in words`, () => {
    assert.match(problemOf(text), words)
  })
}
