import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { MAIL_NOT_ENCRYPTED } from './errors.ts'
import { sendMail } from './send-mail.ts'
import { type Mailed, testMailServer } from './test-mail-server.ts'

const MAIL = { subject: 'x', text: 'x', messageId: '<x@fairlead.invalid>' }
const TARGET = {
  kind: 'email' as const,
  from: 'fairlead@example.org',
  to: ['ada@example.org'],
  username: 'fairlead',
  password: 'pass',
}
const ALLOWED = { allowPrivate: ['127.0.0.0/8', '::1/128'] }

const stack = new AsyncDisposableStack()
after(() => stack.disposeAsync())

test('a server without STARTTLS gets no mail and no password', async () => {
  const mailed: Mailed[] = []
  const logins: string[] = []
  const server = await testMailServer(mailed, {
    disabledCommands: ['STARTTLS'],
    allowInsecureAuth: true,
    onAuth: ({ username = '' }, _, done) => {
      logins.push(username)
      done(null, { user: username })
    },
  })
  stack.defer(() => server.close())
  const target = { ...TARGET, host: '127.0.0.1', port: server.port }
  for (const each of [target, { ...target, security: 'starttls' } as const]) {
    assert.notEqual((await sendMail(each, MAIL, ALLOWED)).kind, 'sent')
  }
  assert.deepEqual([mailed, logins], [[], []])
  // It is the missing encryption alone that kept it back.
  const plain = { ...target, security: 'none' } as const
  assert.equal((await sendMail(plain, MAIL, ALLOWED)).kind, 'sent')
  assert.deepEqual([mailed.length, logins], [1, ['fairlead']])
})

test('in clear nothing is sent to an address of the internet, not even to one among private ones', async () => {
  const target = { ...TARGET, host: 'mail.fairlead.invalid', port: 1, security: 'none' } as const
  for (const addresses of [['1.1.1.1'], ['127.0.0.1', '1.1.1.1']]) {
    const resolve = async () => addresses.map(address => ({ address, family: 4 }))
    await assert.rejects(sendMail(target, MAIL, { ...ALLOWED, resolve }), MAIL_NOT_ENCRYPTED.matches)
  }
})

test('only the address that was checked is connected to, under the name that was given', async () => {
  const mailed: Mailed[] = []
  const host = 'mail.fairlead.invalid'
  const server = await testMailServer(mailed, { names: [host] })
  stack.defer(() => server.close())
  let asked = 0
  const resolve = async () => {
    asked += 1
    return [{ address: '127.0.0.1', family: 4 }]
  }
  const target = { ...TARGET, host, port: server.port, ca: server.ca }
  assert.deepEqual(await sendMail(target, MAIL, { ...ALLOWED, resolve }), { kind: 'sent' })
  assert.deepEqual([asked, mailed.length, mailed[0]?.isSecure], [1, 1, true])
})
